"""Pulls of an application on moto's S3, DynamoDB and Glue: the steps of the machine, one after the other."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from sluice.api_pull.checking import Check
from sluice.api_pull.contracts import ENDPOINTS, contracts
from sluice.api_pull.extraction import Extraction, Limits
from sluice.api_pull.history import History
from sluice.api_pull.keeping import keep
from sluice.api_pull.mart import loads_postgres as loads
from sluice.api_pull.mart.part_rows import read_rows
from sluice.api_pull.mart.steps import LOAD, NextLoad, begin_next, causes_of
from sluice.api_pull.mart.tables import TABLES, Part
from sluice.api_pull.model import Pull, PullError
from sluice.api_pull.progress import AGAIN, CHECK, EXTRACT, EXTRACTED, CheckProgress, ExtractProgress
from sluice.api_pull.pulls import PULL, StepProgress, begin, new_pull
from sluice.api_pull.results import PullResult, document_of, remember, result_of
from sluice.api_pull.run_summary import counts_of
from sluice.aws import runtime
from sluice.http.patience import Patience
from sluice.lake.columns_glue import GlueColumns
from sluice.lake.lease_dynamodb import DynamoLease
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.lake.partitions_iceberg import IcebergPartitions
from sluice.mart.connection_postgres import Mart
from tests.api_pull.application import Application
from tests.event_files.unit.convert.memory_ledger import RunningExecutions
from tests.support.moto.aws_calls import AwsCalls, AwsUnavailableError, KilledError
from tests.support.moto.backend import create_table, objects_of
from tests.support.moto.stage import LAKE, _clients

PULLS = "pulls"
START = datetime(2026, 11, 30, 2, tzinfo=UTC)
LIMITS = Limits(page_size=100, part_bytes=20_000, max_pages=40, max_bytes=1 << 22, max_seconds=600, restarts=3)
T = TypeVar("T")


@dataclass
class Pulling:
    """A stage whose pulls read an application; every call of AWS goes through `calls`."""

    calls: AwsCalls
    application: Application = field(default_factory=Application)
    executions: RunningExecutions = field(default_factory=RunningExecutions)
    mart: Mart | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.lake = S3ObjectStore(runtime.s3(), LAKE)
        self.tables = IcebergPartitions(runtime.glue(), "lake", LAKE)
        self.columns = GlueColumns(runtime.glue(), "lake", self.lake)
        self.lease = DynamoLease(runtime.dynamodb(), PULLS, "pull")

    def pull(self, day: str = "2026-11-30", execution: str = "") -> PullResult | None:
        """Pull a day; each step is tried three times. None: another execution is at work."""
        execution = execution or f"execution-{next(self._numbers)}"
        self.executions.names.add(execution)
        try:
            started = START + timedelta(minutes=next(self._numbers))
            pull = new_pull(execution, started, {"date": day})
            if self._try(lambda: begin(pull, self.lease, self.executions, is_set_up=True)) != PULL:
                return None
            state = self._endpoints(pull)
            state["mart"] = self._load(pull, self.mart) if self.mart else {"published": ENDPOINTS}
            return self._try(lambda: self._record(pull, state))
        finally:
            self.executions.names.discard(execution)

    def _endpoints(self, pull: Pull) -> dict[str, Any]:
        state: dict[str, Any] = {"pull": asdict(pull)}
        for endpoint in ENDPOINTS:
            steps = state[endpoint] = {"extract": {"turn": 0}, "check": {"turn": 0}}
            try:
                self._take(pull, endpoint, steps)
            except PullError as error:
                steps["failure"] = {"Error": "PullError", "Cause": json.dumps({"errorMessage": str(error)})}
        return state

    def _take(self, pull: Pull, endpoint: str, steps: dict[str, Any]) -> None:
        self._loop(steps, EXTRACT, lambda turn: self._extract(pull, endpoint, turn))
        self._loop(steps, CHECK, lambda turn: self._check(pull, endpoint, steps["extract"]["turn"], turn))
        turn = steps["check"]["turn"]
        steps["kept"] = asdict(self._try(lambda: keep(pull, endpoint, turn, self.lake, self.tables)))

    def _loop(self, steps: dict[str, Any], step: str, take: Callable[[int], tuple[int, str]]) -> None:
        next_step = AGAIN
        while next_step in {AGAIN, "wait"}:
            steps[step]["turn"], next_step = self._try(lambda: take(steps[step]["turn"]))

    def _extract(self, pull: Pull, endpoint: str, turn: int) -> tuple[int, str]:
        steps = StepProgress(self.lake, pull, endpoint, EXTRACT)
        found = steps.read(turn)
        extraction = Extraction(
            pull,
            endpoint,
            contracts()[endpoint].key,
            source=self.application.source(),
            lake=self.lake,
            limits=LIMITS,
            patience=Patience(120, 60, 60),
            token=f"{next(self._numbers):08x}",
        )
        before = ExtractProgress.from_json(found) if found else ExtractProgress()
        after = extraction.proceed(before, self._time(2), lambda: 0.0)
        return steps.write(turn, after), after.next_step

    def _check(self, pull: Pull, endpoint: str, extracted: int, turn: int) -> tuple[int, str]:
        progress = StepProgress(self.lake, pull, endpoint, EXTRACT).read(extracted)
        steps = StepProgress(self.lake, pull, endpoint, CHECK)
        found = steps.read(turn)
        check = Check(
            pull,
            endpoint,
            ExtractProgress.from_json(progress or {}),
            lake=self.lake,
            schema=self.columns.schema(contracts()[endpoint].table),
            history=History.read(self.lake),
            token=f"{next(self._numbers):08x}",
        )
        before = CheckProgress.from_json(found) if found else CheckProgress()
        after = check.proceed(before, self._time(2), lambda: 0.0)
        return steps.write(turn, after), after.next_step

    def _load(self, pull: Pull, mart: Mart) -> dict[str, Any]:
        def begin_load(endpoint: str, parts: int) -> int:
            return loads.begin(mart, pull.pull_id, date.fromisoformat(pull.snapshot_date), endpoint, parts)

        step = NextLoad(LOAD, 0)
        while (step := self._try(lambda: begin_next(pull, step.turn, self.lake, begin_load))).next_step == LOAD:
            for item in json.loads(self.lake.read(step.plan_key))["parts"]:
                part = Part(**item)
                rows = read_rows(self.lake.read(part.key), part, [*TABLES[part.endpoint].columns])
                loads.load_part(mart, part.load, part.part, part.endpoint, rows)
        published = loads.publish(mart, pull.pull_id)
        loads.sweep(mart, lambda: True)
        rows_of = loads.visible_rows(mart)
        visible = {"tracks": rows_of["tracks"], "users": rows_of["users"], "listens": rows_of["listen_history"]}
        return {"published": published, "causes": causes_of(self.lake, pull.pull_id, published), **visible}

    def _record(self, pull: Pull, state: dict[str, Any]) -> PullResult:
        result = result_of(pull, state, self.lake)
        document = document_of(result)
        assert counts_of(document)["dirty_rows"] >= 0
        self.lake.write(pull.result_key, orjson.dumps(document))
        remember(History.read(self.lake), pull, result).write(self.lake)
        self.lease.release(pull.execution)
        return result

    @staticmethod
    def _time(steps: int) -> Callable[[], bool]:
        times = iter([True] * steps)
        return lambda: next(times, False)

    @staticmethod
    def _try(step: Callable[[], T]) -> T:
        for _ in range(2):
            try:
                return step()
            except (AwsUnavailableError, KilledError):
                continue
        return step()

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of a table of the lake without what leads to their page."""
        bodies = objects_of(LAKE)
        tasks = self.tables._load(table).scan().plan_files()
        files = (bodies[task.file.file_path.removeprefix(f"s3://{LAKE}/")] for task in tasks)
        found = [row for body in files for row in pq.read_table(pa.BufferReader(body)).to_pylist()]
        technical = {"_source_key", "_source_page"}
        plain = [{name: value for name, value in row.items() if name not in technical} for row in found]
        return sorted(plain, key=str)

    def counts(self) -> dict[str, int]:
        return {contract.table: len(self.rows(contract.table)) for contract in contracts().values()}


@contextmanager
def new_pulling() -> Iterator[Pulling]:
    with mock_aws():
        _, dynamodb, _, calls = _clients()
        runtime.s3().create_bucket(Bucket=LAKE)
        runtime.glue().create_database(DatabaseInput={"Name": "lake"})
        create_table(dynamodb, PULLS)
        stage = Pulling(calls)
        for contract in contracts().values():
            stage.tables.prepare(contract.lake_table)
        yield stage


@pytest.fixture
def pulling() -> Iterator[Pulling]:
    with new_pulling() as stage:
        yield stage


__all__ = ["EXTRACTED", "LIMITS", "Pulling", "new_pulling", "pulling"]
