"""Least privilege: without any one of its rights a function fails, as the local cloud evaluates policies."""

import json
import uuid
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from sluice.event_files.ledger.model import SourceObject, chunk_id_of
from tests.support.lambda_handlers import s3_announcement
from tests.support.local.deployed_cloud import Cloud
from tests.support.local.deployed_functions import Functions
from tests.support.sample_events import dump, illustration

# Rights whose need the emulator does not show: it answers 404 without s3:ListBucket too, and has no orphan a day old.
# Of tables it sees their database only, where Glue wants catalog, database and table; metadata go after ten commits.
CATALOG = {"glue:GetDatabase", "glue:GetTable", "glue:UpdateTable"}
NOT_SHOWN = {"validate_files": {"s3:ListBucket"}, "convert_batch": {"s3:ListBucket", *CATALOG}} | {
    "commit_conversion": {"s3:ListBucket", "s3:DeleteObject", *CATALOG},
    "profile_run": {"s3:DeleteObject", *CATALOG},
    "sweep_orphans": {"s3:DeleteObject", "dynamodb:BatchGetItem"},
}

CLEAN = "data/clean_json/"


class Pipeline:
    """The functions, called one by one in the order in which files and runs call them."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.functions = Functions(cloud, "event_files")

    def run(self) -> None:
        """Take one file through all functions and every branch that needs a right."""
        self._validate()
        self._plan()
        self._convert(self._plan()["plan_key"])  # another execution takes the run over
        assert self._plan()["status"] == "nothing_to_do"
        self._leave_out()
        medium = SourceObject(self._cloud.output("MediaBucket"), "MYLIB/m.png", "etag")
        came = s3_announcement(medium)
        for told in (came, came.replace("ObjectCreated:Put", "ObjectRemoved:Delete")):
            self.functions.call("index_media", {"Records": [{"messageId": "1", "body": told}]})
        self.functions.call("sweep_orphans", {})
        self.functions.call("probe_lag", {})

    def finish(self) -> None:
        """Finish what a failed run left."""
        while (planned := self._plan())["status"] == "planned":
            self._convert(planned["plan_key"])

    def _leave_out(self) -> None:
        """Convert a chunk without its clean object, lost behind the back of a call that died, then with it."""
        s3, bucket, known = self._cloud.deployment.s3, self._cloud.output("LakeBucket"), self._cloud.keys(CLEAN)
        for _ in range(2):
            self._validate()
        lost, _ = (key for key in self._cloud.keys(CLEAN) if key not in known)
        body = self._cloud.read(lost)
        plan_key = self._plan()["plan_key"]
        self._convert_batches(plan_key)
        for key in (lost, *self._cloud.keys(f"{plan_key.rpartition('/')[0]}/receipts/")):
            s3.delete_object(Bucket=bucket, Key=key)
        self._convert_batches(plan_key, chunk_id_of(lost))
        again = self._commit(plan_key)
        assert again["status"] == "planned_again"
        self._convert(again["plan_key"])
        s3.put_object(Bucket=bucket, Key=lost, Body=body)
        self._convert(self._plan()["plan_key"])

    def _convert(self, plan_key: str) -> None:
        self._convert_batches(plan_key)
        self._commit(plan_key)
        self.functions.call("profile_run", {"plan_key": plan_key})

    def _commit(self, plan_key: str) -> dict[str, Any]:
        owned = {"plan_key": plan_key, "execution": self._execution}
        committed: dict[str, Any] = self.functions.call("commit_conversion", owned)
        return committed

    def _convert_batches(self, plan_key: str, lost: str = "none") -> None:
        for group in json.loads(self._cloud.read(plan_key))["groups"]:
            self.functions.call("convert_batch", group, partial(_leaves_out_more, int(lost in json.dumps(group))))

    def _validate(self) -> None:
        bucket, key = self._cloud.output("SourceBucket"), f"rights/{uuid.uuid4()}"
        body = dump(illustration(0, media_id=key, medialib="MYLIB")) + b'{"source": "other"} not an event'
        etag = self._cloud.deployment.s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"]
        announced = {"detail": {"bucket": {"name": bucket}, "object": {"key": key, "etag": etag.strip('"')}}}
        record = {"messageId": "1", "body": json.dumps({"detail-type": "Object Created", **announced})}
        self.functions.call("validate_files", {"Records": [record]}, lambda answer: bool(answer["batchItemFailures"]))

    def _plan(self) -> dict[str, Any]:
        machine = self._cloud.output("ConvertMachine").replace(":stateMachine:", ":execution:")
        self._execution = f"{machine}:{uuid.uuid4()}"
        planned: dict[str, Any] = self.functions.call("plan_conversion", {"execution": self._execution})
        return planned


def _leaves_out_more(chunks: int, answer: dict[str, Any]) -> bool:
    return bool(answer["left_out"] > chunks)


@pytest.fixture
def pipeline(cloud: Cloud) -> Iterator[Pipeline]:
    """The functions, while nothing but the test calls them."""
    s3, bucket = cloud.client("s3"), cloud.output("SourceBucket")
    told = s3.get_bucket_notification_configuration(Bucket=bucket)["QueueConfigurations"]
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    pipeline = Pipeline(cloud)
    try:
        pipeline.finish()
        yield pipeline
        pipeline.finish()
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": told})


def test_all_rights_are_enough_and_every_one_is_needed(pipeline: Pipeline) -> None:
    pipeline.run()
    assert pipeline.functions.not_needed(pipeline.run, NOT_SHOWN) == []
