"""Least privilege, proven: the local cloud evaluates policies, and without any one of its rights a function fails."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.event_files.local.test_announcements import _event
from tests.support.deployed_cloud import Cloud
from tests.support.deployed_functions import Functions, RefusedError

# Rights the emulator does not show to be needed: it tells of a missing object whoever asks, and its clock makes no
# orphan a day old.
NOT_SHOWN = {"validate_files": {"s3:ListBucket"}, "convert_batch": {"s3:ListBucket"}} | {
    "commit_conversion": {"s3:ListBucket"},
    "sweep_orphans": {"s3:DeleteObject", "dynamodb:BatchGetItem"},
}


class Pipeline:
    """The functions, called one by one in the order in which files and runs call them."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.functions = Functions(cloud, "EventFiles")

    def run(self) -> None:
        """Take one file through all functions, every branch of theirs that asks for a right included."""
        self._validate()
        self._plan()
        plan_key = self._plan()["plan_key"]  # another execution takes the run over
        for batch in json.loads(self._cloud.read(plan_key))["batches"]:
            self.functions.call("convert_batch", batch)
        self.functions.call("commit_conversion", {"plan_key": plan_key})
        self.functions.call("profile_run", {"plan_key": plan_key})
        assert self._plan()["status"] == "nothing_to_do"
        media = {"detail-type": "Object Created", "detail": {"object": {"key": "MYLIB/m.png", "sequencer": "0A"}}}
        self.functions.call("index_media", {"Records": [{"messageId": "1", "body": json.dumps(media)}]})
        self.functions.call("sweep_orphans", {})

    def finish(self) -> None:
        """Finish what a failed run left."""
        while (planned := self._plan())["status"] == "planned":
            for batch in json.loads(self._cloud.read(planned["plan_key"]))["batches"]:
                self.functions.call("convert_batch", batch)
            self.functions.call("commit_conversion", {"plan_key": planned["plan_key"]})
            self.functions.call("profile_run", {"plan_key": planned["plan_key"]})

    def _validate(self) -> None:
        bucket, key = self._cloud.output("SourceBucket"), f"rights/{uuid.uuid4()}"
        body = _event(key, media_id=key, medialib="MYLIB") + b'{"source": "other"} not an event'
        etag = self._cloud.deployment.s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"]
        announced = {"detail": {"bucket": {"name": bucket}, "object": {"key": key, "etag": etag.strip('"')}}}
        record = {"messageId": "1", "body": json.dumps({"detail-type": "Object Created", **announced})}
        failed = self.functions.call("validate_files", {"Records": [record]})["batchItemFailures"]
        if failed:
            raise RefusedError("validate_files wants the announcement again")

    def _plan(self) -> dict[str, Any]:
        machine = self._cloud.output("ConvertMachine").replace(":stateMachine:", ":execution:")
        started_at = datetime.now(UTC).isoformat()
        planned: dict[str, Any] = self.functions.call(
            "plan_conversion", {"execution": f"{machine}:{uuid.uuid4()}", "started_at": started_at}
        )
        return planned


@pytest.fixture
def pipeline(cloud: Cloud) -> Iterator[Pipeline]:
    """The functions, while nothing but the test calls them."""
    rules = cloud.client("events")
    (rule,) = [each["Name"] for each in rules.list_rules()["Rules"] if "FilesRule" in each["Name"]]
    rules.disable_rule(Name=rule)
    pipeline = Pipeline(cloud)
    pipeline.finish()
    yield pipeline
    pipeline.finish()
    rules.enable_rule(Name=rule)


def test_all_rights_are_enough_and_every_one_is_needed(pipeline: Pipeline) -> None:
    pipeline.run()
    assert pipeline.functions.not_needed(pipeline.run, pipeline.finish, NOT_SHOWN) == []
