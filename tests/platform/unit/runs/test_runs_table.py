"""Records as rows of a table: nothing is lost, and every reader finds every column."""

import json
from datetime import UTC, datetime

import pytest

from sluice.contracts.model import parse_hive
from sluice.pipelines import RUN_KINDS
from sluice.runs.model import RunRecord, Step
from sluice.runs.records import from_row, to_row
from sluice.runs.runs_table import HOUR_OF_START, runs_table
from tests.platform.unit.digest.sample_runs import run

KINDS = RUN_KINDS.values()
TABLE = runs_table(KINDS)
FULL = RunRecord(
    id="convert-20261122T071500Z-1f2e3d4c",
    kind="convert",
    subject="20261122T071500123456Z-1f2e3d4c",
    started_by="hand: ann",
    started_at="2026-11-22T07:15:00.123Z",
    ended_at="2026-11-22T07:16:00.000Z",
    seconds=59.877,
    outcome="failed",
    cause='why, in "words"\nof two lines',
    failed_step="Convert the batches",
    counts={name: number for number, name in enumerate(RUN_KINDS["convert"].counts, 1)},
    rows={"A": 1, "B": 2},
    dirty={"A": {"RULE_BROKEN": 3, "TOO_LARGE": 4}, "-": {"FRAGMENT": 5}},
    steps=(Step("Plan the run", 0.5), Step("Convert the batches", 59.0, 2)),
    execution="arn:aws:states:eu-west-1:1:execution:m:e",
    links={"console": "https://console", "summary": "s3://lake/x"},
)
EMPTY = run(datetime(2026, 11, 22, 7, 15, tzinfo=UTC), "history", "initialised", counts={"observed": 0})


@pytest.mark.parametrize("record", [FULL, EMPTY], ids=lambda record: record.kind)
def test_a_record_comes_back_from_all_columns_of_the_table(record: RunRecord) -> None:
    row = json.loads(json.dumps(to_row(record, KINDS)))
    assert list(row) == [column.name for column in TABLE.columns if column not in HOUR_OF_START]
    assert None not in row.values()
    assert from_row(row, RUN_KINDS) == record


def test_every_figure_has_its_column_and_types_are_those_of_hive() -> None:
    columns = {column.name: column.type for column in TABLE.columns}
    assert {columns[name] for kind in KINDS for name in kind.counts} == {"bigint"}
    assert [str(parse_hive(kind)) for kind in columns.values()] == list(columns.values())
