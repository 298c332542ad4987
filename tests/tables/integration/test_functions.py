"""The functions of the Compact machine, called one after the other with what the machine passes on, in their roles."""

import json

import pytest

from sluice.runs.model import FinishedExecution
from sluice.tables.pipeline import PIPELINE
from sluice.tables.planning import UnknownTableError
from tests.support.lambda_handlers import load_handler
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, MotoStage
from tests.tables.integration.upkeep_stage import TABLE, UpkeepStage

pytestmark = pytest.mark.usefixtures("roles")

ENVIRONMENT = {
    "TARGET_BYTES": str(64 << 20),
    "UNPACKED_BYTES": str(512 << 20),
    "UNIQUE_COLUMN": "",
    "SNAPSHOT_DAYS": "7",
    "GRACE_DAYS": "0",
    "PIPELINE": "tables",
}


def test_a_run(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    upkeep_stage = UpkeepStage(moto_stage)
    plan, work, tidy = (
        load_handler(name, monkeypatch, **ENVIRONMENT)
        for name in ("plan_compaction", "compact_partitions", "tidy_tables")
    )
    _, left_behind = upkeep_stage.new_file()
    for _ in range(3):
        upkeep_stage.add()
    before = upkeep_stage.rows()
    planned = plan({"started_by": "schedule"})
    for group in json.loads(objects_of(LAKE)[planned["plan_key"]])["groups"]:
        work(group)
    done = tidy(planned)
    assert upkeep_stage.rows() == before
    (kind,) = PIPELINE.run_kinds
    summary = kind.summarise(FinishedExecution(succeeded=True, input={}, output=done, read=lambda _: b""))
    assert (summary.subject, summary.outcome) == (planned["run_id"], "compacted")
    assert summary.counts.keys() == kind.counts.keys()
    assert (summary.counts["files_replaced"], summary.counts["files_made"], summary.counts["rows_rewritten"]) == (
        3,
        1,
        3,
    )
    assert left_behind not in upkeep_stage.objects()
    planned = plan({"tables": [TABLE.lower()]})
    assert planned["status"] == tidy(planned)["status"] == "nothing_to_do"
    with pytest.raises(UnknownTableError, match="PROFILING_LOG: no table that can be compacted"):
        plan({"tables": ["PROFILING_LOG"]})
