"""Tables on moto, to which runs add small files as those of Convert do, and a Compact machine over them."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from sluice.lake.object_store import parquet_key
from sluice.lake.parquet import rows_of, to_parquet
from sluice.tables import upkeep
from sluice.tables.planning import Plan
from sluice.tables.rewriting import Compactor
from sluice.tables.table_files_iceberg import IcebergFiles
from sluice.tables.upkeep import Summary
from tests.support.lake_tables import DATABASE, data_files
from tests.support.moto.stage import LAKE, MotoStage, new_moto_stage

MIB = 1 << 20
DAY = "2024-02-29"
TABLE = "MICROONE_EVENT"
KNOWN = (TABLE, "PROFILING_LOG")
WEEK, GRACE = timedelta(days=7), timedelta(days=3)


class _FewTables(IcebergFiles):
    """A lake of two tables; others would only take time."""

    def names(self) -> list[str]:
        return list(KNOWN)


@dataclass
class UpkeepStage:
    """A lake whose tables are looked after; `target` and the like as the settings of a stage say."""

    stage: MotoStage
    target: int = 64 * MIB
    max_bytes: int = 512 * MIB
    unique: str = ""
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.stage.prepare()
        self.tables: IcebergFiles = _FewTables(self.stage.glue, DATABASE, LAKE, self.stage.s3)
        self.calls = self.stage.calls
        self._schema = self.stage.columns.schema(TABLE)

    def new_file(self, hour: int = 9, event_id: str = "") -> tuple[str, str]:
        """Write a file of one row as a run does before its commit; return the run's id and the file's key."""
        number = next(self._numbers)
        run_id = f"20260131T12{number:04}000000Z-0000000f"
        hour_text = f"{DAY}T{hour:02}"
        row = {
            "id": event_id or f"event-{number}",
            "date_time": f"{hour_text}:{59 - number % 60:02}:00Z",  # the newest file has the oldest row
            "_source_key": f"file-{number:06}",
            "_source_offset": 0,
        }
        rows = rows_of(pa.Table.from_pylist([row]), hour_text, self._schema)
        key = parquet_key(TABLE, hour_text, f"{run_id}-0-{number:08x}")
        self.stage.lake.write(key, to_parquet(rows))
        return run_id, key

    def add(self, hour: int = 9, event_id: str = "") -> str:
        """Add a file of one row to TABLE; return its key."""
        run_id, key = self.new_file(hour, event_id)
        self.tables.append(TABLE, run_id, [key])
        return key

    def plan(self, *wanted: str) -> Plan:
        run_id = upkeep.new_run_id(datetime.now(UTC), f"{next(self._numbers):08x}")
        sizes = {"target_bytes": self.target, "whole_hours": bool(self.unique)}
        return upkeep.plan(self.stage.lake, self.tables, wanted, run_id, **sizes)  # type: ignore[arg-type]

    def work(self, planned: Plan) -> None:
        """Do all groups of a plan, in a call of its own each."""
        columns, bounds = self.stage.columns.schema, {"max_bytes": self.max_bytes, "unique": self.unique}
        for group in planned.groups:
            compactor = Compactor(self.stage.lake, self.tables, columns, **bounds)  # type: ignore[arg-type]
            compactor.compact(group, f"{next(self._numbers):08x}")

    def finish(self, planned: Plan, later: timedelta = timedelta()) -> Summary:
        now = datetime.now(UTC) + later
        return upkeep.finish(planned, self.stage.lake, self.tables, now, kept=WEEK, grace=GRACE)

    def compact(self) -> Summary:
        """Run the whole machine."""
        planned = self.plan()
        self.work(planned)
        return self.finish(planned)

    def files(self) -> set[str]:
        """Return the files that TABLE has now."""
        return {each.key for each in self.tables.files(TABLE)}

    def rows(self) -> list[str]:
        """Return the rows of TABLE, as a reader sees them, in the order of their files' keys."""
        found = self.tables._load(TABLE).scan().to_arrow()["_source_key"].to_pylist()
        return sorted(found)

    def objects(self) -> set[str]:
        return set(data_files(LAKE))


@pytest.fixture
def upkeep_stage() -> Iterator[UpkeepStage]:
    with new_moto_stage() as moto_stage:
        yield UpkeepStage(moto_stage)
