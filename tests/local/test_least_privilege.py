"""Least privilege, proven: the local cloud evaluates policies, and without any one of its rights a function fails."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.local.cloud import Cloud
from tests.local.test_announcements import _event

Right = tuple[str, str]

# Rights the emulator does not ask for: it writes logs and traces and reads the queue by itself, tells of a missing
# object whoever asks, and its clock makes no orphan a day old.
NOT_ASKED_FOR = ("logs:", "xray:", "sqs:")
NOT_SHOWN = {"validate_files": {"s3:ListBucket"}, "convert_batch": {"s3:ListBucket"}} | {
    "commit_conversion": {"s3:ListBucket"},
    "sweep_orphans": {"s3:DeleteObject", "dynamodb:BatchGetItem"},
}


class RefusedError(Exception):
    """A function failed."""


@dataclass(frozen=True)
class Function:
    """A deployed function and the policies of its role."""

    name: str
    role: str


class Pipeline:
    """The functions, called one by one in the order in which files and runs call them."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._lambda, self._iam = cloud.client("lambda"), cloud.client("iam")
        self.functions = dict(self._functions())

    def rights(self, folder: str) -> set[Right]:
        """Every (action, resource) the function's role is allowed and the emulator asks for."""
        document = self._document(folder)
        return {
            (action, resource)
            for statement in document["Statement"]
            for action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
            if not action.startswith(NOT_ASKED_FOR) and action not in NOT_SHOWN.get(folder, set())
        }

    @contextmanager
    def without(self, folder: str, right: Right) -> Iterator[None]:
        """Take one right away for as long as the context lasts."""
        document = self._document(folder)
        self._put(folder, {**document, "Statement": list(_statements_without(document, right))})
        try:
            yield
        finally:
            self._put(folder, document)

    def run(self) -> None:
        """Take one file through all functions, every branch of theirs that asks for a right included."""
        self._validate()
        self._plan()
        plan_key = self._plan()["plan_key"]  # another execution takes the run over
        for batch in json.loads(self._cloud.read(plan_key))["batches"]:
            self._call("convert_batch", batch)
        self._call("commit_conversion", {"plan_key": plan_key})
        self._call("profile_run", {"plan_key": plan_key})
        assert self._plan()["status"] == "nothing_to_do"
        media = {"detail-type": "Object Created", "detail": {"object": {"key": "MYLIB/m.png", "sequencer": "0A"}}}
        self._call("index_media", {"Records": [{"messageId": "1", "body": json.dumps(media)}]})
        self._call("sweep_orphans", {})

    def finish(self) -> None:
        """Finish what a failed run left."""
        while (planned := self._plan())["status"] == "planned":
            for batch in json.loads(self._cloud.read(planned["plan_key"]))["batches"]:
                self._call("convert_batch", batch)
            self._call("commit_conversion", {"plan_key": planned["plan_key"]})
            self._call("profile_run", {"plan_key": planned["plan_key"]})

    def _validate(self) -> None:
        bucket, key = self._cloud.output("SourceBucket"), f"rights/{uuid.uuid4()}"
        body = _event(key, media_id=key, medialib="MYLIB") + b'{"source": "other"} not an event'
        etag = self._cloud.deployment.s3.put_object(Bucket=bucket, Key=key, Body=body)["ETag"]
        announced = {"detail": {"bucket": {"name": bucket}, "object": {"key": key, "etag": etag.strip('"')}}}
        record = {"messageId": "1", "body": json.dumps({"detail-type": "Object Created", **announced})}
        failed = self._call("validate_files", {"Records": [record]})["batchItemFailures"]
        if failed:
            raise RefusedError("validate_files wants the announcement again")

    def _plan(self) -> dict[str, Any]:
        machine = self._cloud.output("ConvertMachine").replace(":stateMachine:", ":execution:")
        started_at = datetime.now(UTC).isoformat()
        planned: dict[str, Any] = self._call(
            "plan_conversion", {"execution": f"{machine}:{uuid.uuid4()}", "started_at": started_at}
        )
        return planned

    def _call(self, folder: str, event: dict[str, Any]) -> Any:
        answer = self._lambda.invoke(FunctionName=self.functions[folder].name, Payload=json.dumps(event))
        body = json.load(answer["Payload"])
        if "FunctionError" in answer:
            raise RefusedError(f"{folder}: {body}")
        return body

    def _functions(self) -> Iterator[tuple[str, Function]]:
        for page in self._lambda.get_paginator("list_functions").paginate():
            for function in page["Functions"]:
                folder = function["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
                yield folder, Function(function["FunctionName"], function["Role"].split("/")[-1])

    def _document(self, folder: str) -> dict[str, Any]:
        role = self.functions[folder].role
        (policy,) = self._iam.list_role_policies(RoleName=role)["PolicyNames"]
        document: dict[str, Any] = self._iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        return document

    def _put(self, folder: str, document: dict[str, Any]) -> None:
        role = self.functions[folder].role
        (policy,) = self._iam.list_role_policies(RoleName=role)["PolicyNames"]
        self._iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))


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
    rights = [(folder, right) for folder in sorted(pipeline.functions) for right in sorted(pipeline.rights(folder))]
    assert len(rights) > len(pipeline.functions)
    assert [each for each in rights if not _is_needed(pipeline, *each)] == []


def _is_needed(pipeline: Pipeline, folder: str, right: Right) -> bool:
    with pipeline.without(folder, right):
        try:
            pipeline.run()
        except RefusedError:
            needed = True
        else:
            needed = False
    pipeline.finish()
    return needed


def _statements_without(document: dict[str, Any], right: Right) -> Iterator[dict[str, Any]]:
    """Each statement as one per (action, resource), but for the right taken away."""
    for statement in document["Statement"]:
        for action in _listed(statement["Action"]):
            for resource in _listed(statement["Resource"]):
                if (action, resource) != right:
                    yield {"Effect": "Allow", "Action": action, "Resource": resource}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
