"""Dollars per million event files of 20 KB: what a run in the local cloud used, at list prices.

    .venv/bin/python -m tests.bench.cloud.cost --files 1000

A burst is there at once, so that calls are full, and has a conversion of its own. A trickle is a file per second: a
call takes what arrives within the queue's window, a conversion what arrives in a quarter of an hour.
"""

import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import typer

from cli.event_files.convert import CONVERTED, run_conversion
from cli.platform import local_cloud
from cli.platform.deploy import deploy_stage
from cli.platform.session import LOCAL, Deployment, connect
from infra.event_files.settings import EventFiles
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger
from sluice.event_files.ledger.model import SourceObject, Status
from sluice.observability import prices
from tests.bench.cloud.usage import Usage, calls, used
from tests.bench.corpus import Shape, make_corpus
from tests.bench.result import Result
from tests.support.stages import stage_named

FILES = 1_000
MILLION = 1_000_000
FILE_BYTES = 20_000
WINDOW_FILES = stage_named("int").settings(EventFiles).files.window_seconds
CONVERSION_FILES = 15 * 60

PEERS: Mapping[str, float] = {
    "a function, a Parquet file and a machine of six steps per file": 192.95,
    "a function and a Parquet file per file": 42.95,
    "Glue every hour, a million files in 30 days": 32.59,
    "copies per file, a ledger item per file, EventBridge": 14.08,
    "Glue every hour, a million files in one day": 12.90,
    "files land, a function forwards them to Firehose": 7.38,
    "Firehose, producers put records, no file lands": 1.41,
}
"""Other designs, the producers' uploads included where there are any; arithmetic by the same prices."""

_EMULATOR = Path(__file__).with_name("counted_emulator.py")
_PORT = 4713
_FUNCTION = "ValidateFiles"
_HOUR = re.compile(rb"2022-0[34]-\d\dT\d\d")
_SOON = b"2022-03-01T10"  # what arrives together is of one hour
_PATIENCE, _PER_FILE, _PAUSE = 150.0, 0.1, 0.2
_REPORTED = 2.0  # until the last call has logged what it took
_QUEUE_BATCH = 10  # messages that Lambda receives, and deletes, by one request


@dataclass(frozen=True, slots=True)
class Case:
    """Usage of a number of files until they were validated, and of a conversion of `converted` files."""

    files: int
    calls: int
    validating: Usage
    converting: Usage
    converted: int  # files per conversion

    def per_million(self) -> dict[str, float]:
        """Return dollars by service."""
        dollars: dict[str, float] = {}
        for usage, files in ((self.validating, self.files), (self.converting, self.converted)):
            for price, quantity in usage.items():
                dollars[price.service] = dollars.get(price.service, 0) + price.of(quantity) * MILLION / files
        return dollars


class Pipeline:
    """The deployed stage, fed by hand."""

    def __init__(self, deployment: Deployment) -> None:
        """Find what takes the files."""
        self._deployment = deployment
        queue = deployment.sqs.get_queue_attributes(
            QueueUrl=deployment.output("QueueUrl"), AttributeNames=["QueueArn"]
        )["Attributes"]["QueueArn"]
        (mapping,) = deployment.functions.list_event_source_mappings(EventSourceArn=queue)["EventSourceMappings"]
        self._mapping = mapping["UUID"]
        self._run = secrets.token_hex(4)  # what is known already would not be measured

    def burst(self, bodies: Sequence[bytes]) -> Case:
        """Measure files that are there at once."""
        return self._case("burst", [bodies], len(bodies))

    def trickle(self, bodies: Sequence[bytes]) -> Case:
        """Measure files that come one by one."""
        groups = [bodies[start : start + WINDOW_FILES] for start in range(0, len(bodies), WINDOW_FILES)]
        return self._case("trickle", groups, CONVERSION_FILES)

    def _case(self, name: str, groups: Sequence[Sequence[bytes]], converted: int) -> Case:
        files, before = sum(map(len, groups)), used(self._deployment)
        called = len(calls(self._deployment, _FUNCTION))
        for number, bodies in enumerate(groups):
            self._validate(f"{self._run}/{name}/{number}", bodies)
        time.sleep(_REPORTED)
        validated, called = used(self._deployment), len(calls(self._deployment, _FUNCTION)) - called
        self._convert()
        validating = _difference(validated, before)
        validating[prices.QUEUE_REQUEST] = files + 2 * max(called, -(-files // _QUEUE_BATCH))
        return Case(files, called, validating, _difference(used(self._deployment), validated), converted)

    def _validate(self, prefix: str, bodies: Sequence[bytes]) -> None:
        """Upload while the queue is not polled, so that all are there at once, and wait until all are recorded."""
        self._listen(enabled=False)
        sources = {upload(self._deployment, f"{prefix}/{number:05}", body) for number, body in enumerate(bodies)}
        self._listen(enabled=True)
        recorded(self._deployment, sources, _PATIENCE + len(bodies) * _PER_FILE)

    def _listen(self, *, enabled: bool) -> None:
        self._deployment.functions.update_event_source_mapping(UUID=self._mapping, Enabled=enabled)

    def _convert(self) -> None:
        conversion, _ = run_conversion(self._deployment, 2 * _PATIENCE)
        if conversion.status != CONVERTED:
            raise AssertionError(f"not converted: {conversion.status}")


def upload(deployment: Deployment, key: str, body: bytes) -> SourceObject:
    """Put an event file into the source bucket."""
    bucket = deployment.output("SourceBucket")
    etag = deployment.s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"]
    return SourceObject(bucket, key, etag.strip('"'))


def recorded(deployment: Deployment, sources: Collection[SourceObject], seconds: float) -> dict[SourceObject, float]:
    """Wait until all are in the ledger; return when each was written there."""
    ledger = DynamoLedger(deployment.dynamodb, deployment.output("LedgerTable"))
    found: dict[SourceObject, float] = {}
    deadline = time.monotonic() + seconds
    while waiting := set(sources) - found.keys():
        if time.monotonic() > deadline:
            raise AssertionError(f"{len(waiting)} of {len(sources)} files are not recorded")
        time.sleep(_PAUSE)
        for source, item in ledger.items(waiting).items():
            if Status(item["status"]).is_final:
                found[source] = datetime.fromisoformat(item["recorded_at"]).timestamp()
    return found


def measure(deployment: Deployment, files: int) -> dict[str, Case]:
    """Measure both ways for files to come; the functions are warm by then. A trickle is no other when it is longer."""
    pipeline, few = Pipeline(deployment), min(files, FILES)
    pipeline.trickle(make_corpus(Shape(FILE_BYTES, 1), seed=7))
    return {"burst": pipeline.burst(_bodies(files, 1)), "trickle": pipeline.trickle(_bodies(few, 2))}


def _bodies(files: int, seed: int) -> list[bytes]:
    return [_HOUR.sub(_SOON, body) for body in make_corpus(Shape(files * FILE_BYTES, files), seed)]


def bench_cost(deployment: Deployment, files: int, result: Result) -> None:
    """Measure what a million files cost, and print it by service, beside other designs."""
    cases = measure(deployment, files)
    sys.stdout.write("".join(f"{line}\n" for line in table(cases)))
    for name, case in cases.items():
        result.figure(f"usd_per_million_{name}", sum(case.per_million().values()))
    for name, dollars in PEERS.items():
        result.keep(f"usd_per_million/{name}", dollars)


def table(cases: Mapping[str, Case]) -> Iterator[str]:
    """Yield the lines of the report."""
    yield f"US dollars per million files of {FILE_BYTES / 1000:.0f} KB, prices of {prices.AS_OF} in {prices.REGION}"
    yield f"{'':25}" + "".join(f"{name:>10}" for name in cases)
    columns = [case.per_million() for case in cases.values()]
    for service in dict.fromkeys(service for column in columns for service in column):
        yield f"{service:25}" + "".join(f"{column.get(service, 0):10.3f}" for column in columns)
    sums = [sum(column.values()) for column in columns]
    yield f"{'sum':25}" + "".join(f"{each:10.2f}" for each in sums)
    uploads = prices.OBJECT_PUT.of(MILLION)
    yield f"{'with the uploads':25}" + "".join(f"{each + uploads:10.2f}" for each in sums)
    yield f"{'files per call':25}" + "".join(f"{case.files / case.calls:10.1f}" for case in cases.values())
    yield from (f"{dollars:10.2f}  {name}" for name, dollars in PEERS.items())


@contextmanager
def counted_cloud() -> Iterator[Deployment]:
    """A local cloud of its own whose emulator counts, with the stage deployed, for as long as it is needed."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[local_cloud.FOLDER_VARIABLE] = folder
        local_cloud.EMULATOR = ("-P", str(_EMULATOR))
        local_cloud.start(_PORT)
        try:
            deploy_stage(LOCAL)
            yield connect(LOCAL)
        finally:
            local_cloud.stop()


def main(files: int = FILES) -> None:
    """Measure and print what files cost that come at once."""
    with counted_cloud() as deployment:
        bench_cost(deployment, files, Result())


def _difference(after: Usage, before: Usage) -> Usage:
    return {price: quantity - before.get(price, 0) for price, quantity in after.items()}


if __name__ == "__main__":
    typer.run(main)
