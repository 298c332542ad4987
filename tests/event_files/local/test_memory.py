"""Large files are validated and converted in the memory of production, measured in processes of their own."""

import json
import random
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.contracts.generation import generate_event
from infra.event_files.settings import EventFiles
from sluice.contracts.load import load_registry
from sluice.event_files.convert.model import BatchGroup
from sluice.event_files.convert.planning import Planning
from sluice.event_files.ledger.runs_dynamodb import DynamoRunLedger
from sluice.lake.object_store import TABLES_PREFIX
from tests.support.local.deployed_cloud import Cloud
from tests.support.local.function_process import call
from tests.support.moto.backend import create_table
from tests.support.stages import stage_named

SETTINGS = stage_named("prd").settings(EventFiles)
SIZE = 128 << 20
SOURCE, LAKE, LEDGER, MEDIA = "measured-source", "measured-lake", "measured-ledger", "measured-media"


def _events() -> bytes:
    rng = random.Random(128)
    contracts = load_registry().contracts
    some = b"".join(json.dumps(generate_event(rng.choice(contracts), rng)).encode() for _ in range(2000))
    return some * (SIZE // len(some) + 1)


def _one_event() -> bytes:
    return b'{"version":"0","source":"app.event.file","detail":{"text":"' + b"x" * 100_000_000 + b'"}}'


@dataclass(frozen=True)
class MeasuredFunctions:
    """Buckets and tables that no deployed function works on."""

    cloud: Cloud

    def invoke(self, function: str, event: Any) -> Any:
        environment = {
            "LAKE_BUCKET": LAKE,
            "LEDGER_TABLE": LEDGER,
            "MEDIA_BUCKET": SOURCE,
            "SOURCE_OWNER": "000000000000",
            "MEDIA_TABLE": MEDIA,
            "CHUNK_BYTES": str(SETTINGS.chunk_bytes),
            "MAX_FILE_BYTES": str(SETTINGS.max_file_bytes),
            "EVENT_DAYS_BEFORE_FILE": str(SETTINGS.event_days_before_file),
            "EVENT_DAYS_AFTER_FILE": str(SETTINGS.event_days_after_file),
            "MAX_FILE_HOURS": str(SETTINGS.max_file_hours),
            "FILE_SECONDS": "600",  # it is not the time that is measured
            "MAX_RECEIVES": "5",
            "QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/nobody-listens",
            "DATABASE": self.cloud.output("Database"),
        }
        return call(function, event, environment)

    def validate(self, key: str, body: bytes) -> Any:
        etag = self.cloud.client("s3").put_object(Bucket=SOURCE, Key=key, Body=body)["ETag"]
        detail = {"bucket": {"name": SOURCE}, "object": {"key": key, "etag": etag.strip('"')}}
        first = {"ApproximateReceiveCount": "1"}
        record = {"messageId": "1", "attributes": first, "body": json.dumps({"detail": detail})}
        return self.invoke("validate_files", {"Records": [record]})

    def groups(self) -> list[BatchGroup]:
        chunks = DynamoRunLedger(self.cloud.client("dynamodb"), LEDGER).pending_chunks()
        planning = Planning(None, None, None, SETTINGS.batch_bytes)  # type: ignore[arg-type]  # nothing is asked of them
        return list(planning._plan_of("measured", datetime.now(UTC), chunks).groups)


@pytest.fixture(scope="module")
def measured(cloud: Cloud) -> MeasuredFunctions:
    for bucket in (SOURCE, LAKE):
        cloud.client("s3").create_bucket(Bucket=bucket)
    for table in (LEDGER, MEDIA):
        create_table(cloud.client("dynamodb"), table)
    for key in cloud.keys(TABLES_PREFIX):  # what the catalog names of tables' columns
        if key.endswith(".metadata.json"):
            cloud.client("s3").put_object(Bucket=LAKE, Key=key, Body=cloud.read(key))
    return MeasuredFunctions(cloud)


@pytest.mark.parametrize("content", [_events, _one_event])
def test_a_large_file_is_validated_and_converted(measured: MeasuredFunctions, content: Callable[[], bytes]) -> None:
    validated = measured.validate(content.__name__, content())
    assert validated["result"] == {"batchItemFailures": []}
    largest = max(
        measured.groups(), key=lambda group: sum(span.length for batch in group.batches for span in batch.spans)
    )
    converted = measured.invoke("convert_batch", asdict(largest))
    assert converted["result"]["rows"] == sum(batch.rows for batch in largest.batches)
    sys.stdout.write(f"peak MB: {validated['peak_mb']} validating, {converted['peak_mb']} converting\n")
    assert validated["peak_mb"] < SETTINGS.validate_files.memory_mb * 0.75
    assert converted["peak_mb"] < SETTINGS.convert_batch.memory_mb * 0.75
