"""The event file pipeline on moto's S3 and DynamoDB: real adapters and use cases, run without Step Functions."""

import itertools
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from moto import mock_aws

from sluice.aws import runtime
from sluice.contracts.load import load_registry
from sluice.contracts.model import PROFILING_LOG
from sluice.event_files.convert.batches import Converter
from sluice.event_files.convert.committing import Summary, commit, read_plan
from sluice.event_files.convert.leaving_out import leave_out
from sluice.event_files.convert.model import BatchGroup, Plan
from sluice.event_files.convert.planning import Decision, Planned, Planning
from sluice.event_files.convert.profiling import publish_profile
from sluice.event_files.convert.renewing import renew
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger
from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.event_files.media import KnownMedia, NotLookedUpError
from sluice.event_files.media_dynamodb import DynamoMediaIndex
from sluice.event_files.validate.source_store_s3 import S3SourceStore
from sluice.event_files.validate.turns import Message, Turns
from sluice.event_files.validate.validation import Limits, Outcome, Validation
from sluice.lake.columns_glue import GlueColumns
from sluice.lake.object_store import timestamped_id
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.lake.tables_iceberg import IcebergTables
from tests.event_files.unit.convert.memory_ledger import RunningExecutions
from tests.support.lake_tables import DATABASE, check_versions, new_tables, prepare_tables
from tests.support.moto.aws_calls import AwsCalls, AwsUnavailableError, KilledError
from tests.support.moto.backend import create_table, speed_up_moto

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client


speed_up_moto()
check_versions()

T = TypeVar("T")

SOURCE, LAKE, MEDIA = "source-bucket", "lake-bucket", "media-bucket"
LEDGER, MEDIA_INDEX = "ledger", "media-index"
QUEUE = "new-files"
REGISTRY = load_registry()
START = datetime(2026, 1, 31, 12, tzinfo=UTC)
ROOMY = Limits(chunk_bytes=1 << 20, max_file_bytes=32 << 20)

_DELIVERIES = 4


@dataclass
class MemoryQueue:
    """Announcements that wait, by message."""

    waiting: dict[str, SourceObject]

    def messages(self, delivery: int) -> list[Message]:
        return [Message(each, (source,), delivery) for each, source in self.waiting.items()]

    def remove(self, ids: Collection[str]) -> None:
        for each in ids:
            self.waiting.pop(each, None)

    def settle(self, failed: Collection[str]) -> None:
        """Remove what did not fail, as Lambda does when a function answers."""
        self.remove(self.waiting.keys() - failed)

    def send_anew(self, ids: Collection[str]) -> None:
        raise AssertionError(ids)


@dataclass
class MotoStage:
    """Buckets, tables and use cases of the pipeline; every call of AWS goes through `calls`."""

    s3: "S3Client"
    dynamodb: "DynamoDBClient"
    glue: "GlueClient"
    calls: AwsCalls
    limits: Limits = ROOMY
    batch_bytes: int = 1 << 20
    executions: RunningExecutions = field(default_factory=RunningExecutions)

    def __post_init__(self) -> None:
        self._ticks = itertools.count()
        self.lake = S3ObjectStore(self.s3, LAKE)
        self.ledger = DynamoLedger(self.dynamodb, LEDGER, self.now)
        self.runs = DynamoRunLedger(self.dynamodb, LEDGER, self.now)
        self.media = DynamoMediaIndex(self.dynamodb, MEDIA_INDEX, MEDIA)
        self.columns = GlueColumns(self.glue, DATABASE, self.lake)
        self.tables = IcebergTables(self.glue, DATABASE, LAKE, self.s3)

    def prepare(self) -> None:
        """Make the tables of the lake, unless they are there."""
        prepare_tables(LAKE)

    def now(self) -> datetime:
        """Return the time; each call takes a second."""
        return START + timedelta(seconds=next(self._ticks))

    def put(self, key: str, content: bytes) -> SourceObject:
        answer = self.s3.put_object(Bucket=SOURCE, Key=key, Body=content)
        return SourceObject(SOURCE, key, answer["ETag"].strip('"'), answer.get("VersionId", ""))

    def validate(
        self,
        *sources: SourceObject,
        seconds_left: Callable[[], float] = lambda: 600.0,
    ) -> Outcome:
        """Validate together, in an invocation of its own, with nothing remembered."""
        validation = Validation(
            registry=REGISTRY,
            read_source=S3SourceStore(self.s3).read,
            chunks=self.lake,
            ledger=self.ledger,
            look_up_media=DynamoMediaIndex(self.dynamodb, MEDIA_INDEX, MEDIA).find,
            limits=self.limits,
            new_chunk_id=lambda: timestamped_id(self.now(), "0000000f"),
            stopwatch=time.perf_counter,
        )
        return validation.run(sources, seconds_left)

    def arrive(self, key: str, content: bytes) -> SourceObject:
        """Put an object and validate it."""
        source = self.put(key, content)
        assert not self.validate(source).failed
        return source

    def deliver(self, *sources: SourceObject, delivery: int = 2) -> None:
        """Announce objects as SQS does: failed ones, and all of an invocation that died, come again."""
        queue = MemoryQueue({str(number): source for number, source in enumerate(sources)})
        for number in range(delivery, delivery + _DELIVERIES):
            with suppress(AwsUnavailableError, KilledError):
                queue.settle(self.take_turns(queue, number))
            if not queue.waiting:
                return
        raise AssertionError(f"these are still not validated after {_DELIVERIES} deliveries: {queue.waiting}")

    def validate_again(self, *sources: SourceObject) -> Outcome:
        """Validate what was delivered before, each in its turn."""
        queue = MemoryQueue({str(number): source for number, source in enumerate(sources)})
        turns = self.turns(queue)
        turns.take(queue.messages(2), lambda: 600.0)
        return turns.outcome

    def take_turns(self, queue: MemoryQueue, delivery: int) -> Collection[str]:
        """Validate what is waiting, as the function does; return the ids of the messages that failed."""
        return self.turns(queue).take(queue.messages(delivery), lambda: 600.0)

    def turns(self, queue: MemoryQueue) -> Turns:
        return Turns(
            lambda sources, left: self.validate(*sources, seconds_left=left), self.ledger, queue, self.limits, 5
        )

    def convert(self, execution: str = "", attempts: int = 1) -> Summary | None:
        """Run the states of the Convert machine, each tried `attempts` times; return None if there is nothing to do."""
        execution = execution or f"execution-{next(self._ticks)}"
        with self.execution(execution):
            planned = _attempt(attempts, lambda: self.plan(execution))
            if planned.decision is not Decision.PLANNED:
                return None
            planned = self._convert_what_can_be(planned, attempts)
            summary = _attempt(attempts, lambda: self.commit(planned))
            _attempt(attempts, lambda: self.profile(planned))
            return summary

    def _convert_what_can_be(self, planned: Planned, attempts: int) -> Planned:
        """Convert a plan, and the one that follows it where groups cannot be converted; return the last one."""
        for group in _attempt(attempts, lambda: self.read_plan(planned)).groups:
            with suppress(Exception):  # the map goes on with the others
                _attempt(attempts, partial(self.work, group))
        following = _attempt(attempts, lambda: self.leave_out(planned))
        return self._convert_what_can_be(following, attempts) if following else planned

    @contextmanager
    def execution(self, name: str) -> Iterator[str]:
        """Let an execution of the machine run within the context."""
        self.executions.names.add(name)
        try:
            yield name
        finally:
            self.executions.names.discard(name)

    def plan(self, execution: str) -> Planned:
        self.prepare()
        now = self.now()
        planning = Planning(self.runs, self.lake, self.executions, self.batch_bytes)
        return planning.plan(execution, timestamped_id(now, "0000000f"), now, f"{next(self._ticks):08x}")

    def read_plan(self, planned: Planned) -> Plan:
        assert planned.plan_key
        return read_plan(self.lake, planned.plan_key)

    def convert_batches(self, planned: Planned) -> None:
        for group in self.read_plan(planned).groups:
            self.work(group)

    def work(self, group: BatchGroup, lake: S3ObjectStore | None = None) -> None:
        """Convert a group in a call of its own, which may see the lake in its own way."""
        token = f"{next(self._ticks):08x}"
        Converter(REGISTRY, lake or self.lake, self.columns.schema, lambda: token).convert(group)

    def leave_out(self, planned: Planned) -> Planned | None:
        """Plan again what could not be converted, or was for a table of before; None if nothing is."""
        assert planned.plan_key
        plan = self.read_plan(planned), planned.plan_key, self.lake, self.tables, self.runs
        following = leave_out(*plan) or renew(*plan)
        return following and replace(planned, plan_key=following[0])

    def commit(self, planned: Planned) -> Summary:
        return commit(self.read_plan(planned), self.lake, self.tables, self.runs)

    def profile(self, planned: Planned) -> str:
        schema = self.columns.schema(PROFILING_LOG.name)
        return publish_profile(self.read_plan(planned), self.lake, self.tables, self.runs, schema)

    def keys(self, prefix: str = "") -> list[str]:
        return [found.key for found in self.lake.list(prefix)]

    def find_medium(self, medialib: str, media_id: str) -> str | None:
        """Return a medium's URI as validation finds it, with nothing remembered."""
        known = KnownMedia(self.media.find)
        with suppress(NotLookedUpError):
            return known.find(medialib, media_id)
        known.look_up([(medialib, media_id)])
        return known.find(medialib, media_id)

    def record(self, source: SourceObject) -> dict[str, Any]:
        """Return a source object's record in the ledger, empty if there is none."""
        return self.ledger.items([source]).get(source, {})


def _attempt(attempts: int, state: Callable[[], T]) -> T:
    for _ in range(attempts - 1):
        try:
            return state()
        except AwsUnavailableError:
            continue
    return state()


@contextmanager
def new_moto_stage(**settings: Any) -> Iterator[MotoStage]:
    new_tables(LAKE)
    with mock_aws():
        moto_stage = MotoStage(*_clients(), **settings)
        for bucket in (SOURCE, LAKE, MEDIA):
            moto_stage.s3.create_bucket(Bucket=bucket)
        for table in (LEDGER, MEDIA_INDEX):
            create_table(moto_stage.dynamodb, table)
        yield moto_stage


@cache
def _clients() -> "tuple[S3Client, DynamoDBClient, GlueClient, AwsCalls]":
    """Return the clients that handlers use, too."""
    clients = runtime.s3(), runtime.dynamodb(), runtime.glue()
    return *clients, AwsCalls(clients)


@pytest.fixture(scope="session", autouse=True)
def _test_credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield


@pytest.fixture
def moto_stage() -> Iterator[MotoStage]:
    with new_moto_stage() as moto_stage:
        yield moto_stage
