"""The rows of the demo are what they were when tables were folders of files: value for value, in the same columns.

The expected data were made by the code of then: of each column its type, and a digest of its values in the order of
events. `python -m tests.event_files.integration.convert.test_as_before FOLDER` prints those of other files.
"""

import hashlib
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from cli.event_files.file_generation import event_files
from sluice.aws import runtime
from sluice.contracts.load import load_registry
from tests.support.lake_tables import DATABASE, rows_of
from tests.support.moto.stage import LAKE, MotoStage, new_moto_stage

EXPECTED = Path(__file__).parent / "as_before.json"
_OF_THE_RUN = {"workflow_run_id", "timestamp"}  # they are other ones with each run

Figures = dict[str, dict[str, Any]]


def test_rows_of_the_demo(moto_stage: MotoStage) -> None:
    files = {file.name: file.body for file in event_files(load_registry(), 40, 2000, 1)}
    expected = orjson.loads(EXPECTED.read_bytes())
    assert figures_of(moto_stage, files) == expected


def figures_of(stage: MotoStage, files: Mapping[str, bytes]) -> Figures:
    """Return what the tables hold of files: of each its number of rows, and by column its type and a digest."""
    for key, body in sorted(files.items()):
        stage.arrive(key, body)
    assert stage.convert()
    return {table: _figures(table, rows) for table, rows in sorted(rows_of(LAKE).items()) if table != "DIRTY_EVENTS"}


def _figures(table: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    ordered = sorted(rows, key=_place)
    described = runtime.glue().get_table(DatabaseName=DATABASE, Name=table.lower())["Table"]["StorageDescriptor"]
    columns = {each["Name"]: each["Type"] for each in described["Columns"]}
    assert all(list(row) == list(columns) for row in rows)
    return {"rows": len(rows), **{name: f"{type_} {_digest(name, ordered)}" for name, type_ in columns.items()}}


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return where an event stood, as far as its row says."""
    names = ("_source_key", "_source_offset", "event_filename", "event_id", "passed", "errors")
    return tuple(str(row.get(name)).zfill(12) for name in names)


def _digest(name: str, rows: Iterable[Mapping[str, Any]]) -> str:
    values = "" if name in _OF_THE_RUN else repr([_plain(row[name]) for row in rows])
    return hashlib.md5(values.encode(), usedforsecurity=False).hexdigest()[:12]


def _plain(value: object) -> object:
    """Return a moment as the text of its time in UTC, all else as it is."""
    return value.replace(tzinfo=None).isoformat() if isinstance(value, datetime) else value


if __name__ == "__main__":
    with new_moto_stage() as made:
        found = figures_of(made, {path.name: path.read_bytes() for path in Path(sys.argv[1]).iterdir()})
    sys.stdout.buffer.write(orjson.dumps(found, option=orjson.OPT_INDENT_2))
