"""The roles of functions, over what functions do on moto: a call that the role of the stack forbids fails the test."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from tests.support.moto.stage import LAKE, LEDGER, MEDIA, MEDIA_INDEX, SOURCE, MotoStage
from tests.support.source_files import handler_path
from tests.support.synthesis import Synthesis, Template, listed, text

Parameters = Mapping[str, Any]

_BUCKETS = {LAKE: "<LakeBucket.Arn>", SOURCE: "<LakeSource.Arn>", MEDIA: "<LakeMedia.Arn>"}
_TABLES = {LEDGER: "<EventFilesLedger.Arn>", MEDIA_INDEX: "<EventFilesMediaIndex.Arn>"}
_SLOTS = "<VendorExportsSlots.Arn>"
_OTHER_NAMES = {
    "HeadObject": "GetObject",
    "ListObjectsV2": "ListBucket",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "ListParts": "ListMultipartUploadParts",
}
_KEYS = ("Key", "Item")


class ForbiddenError(BaseException):
    """A role does not allow a call; no handler of errors takes this for a failed call."""


@dataclass(frozen=True)
class Role:
    """The policy of a function's role; resources are named as `text` names them, without the hashes of their ids."""

    statements: list[Any]

    @classmethod
    def of(cls, template: Template, folder: str) -> "Role":
        """Return the role of the function made of a folder."""
        name = folder.title().replace("_", "")
        (role,) = [each for each in template.of_type("AWS::IAM::Role") if re.search(rf"{name}Role\w{{8}}$", each)]
        statements = [
            {**statement, "Resource": [_named(resource) for resource in listed(statement["Resource"])]}
            for statement in template.statements(role)
        ]
        return cls(parse_policy_document({"Statement": statements}))

    def forbids(self, action: str, resource: str, context: Parameters) -> bool:
        """Tell whether a request is not allowed, as IAM evaluates the policy."""
        keys = {key.lower(): value for key, value in context.items()}
        request = EvalContext("function", "AssumedRole", "1", action, resource, "r", service_context=keys)
        return bool(evaluate(request, [self.statements]).decision != "Allow")


@dataclass
class Roles:
    """The roles of a synthesised stage; `acting` names the function that makes the calls."""

    role_of: Callable[[str], Role]
    acting: str = ""

    @classmethod
    def of(cls, template: Template) -> "Roles":
        """Return the roles of a template."""
        return cls(cache(lambda folder: Role.of(template, folder)))

    @contextmanager
    def act_as(self, folder: str) -> Iterator[None]:
        """Have all calls checked against the role of a function."""
        self.acting, before = folder, self.acting
        try:
            yield
        finally:
            self.acting = before

    def refusal(self, operation: str, parameters: Parameters) -> str:
        """Return what the role does not allow of a call; "" where it allows all of it, or nobody is acting."""
        if not self.acting:
            return ""
        role, slots = self.role_of(self.acting), handler_path(self.acting).parts[-3] == "vendor_exports"
        requests = _requests(operation, parameters, _SLOTS if slots else "")
        return next(
            (f"{action} on {resource}" for action, resource, keys in requests if role.forbids(action, resource, keys)),
            "",
        )


@pytest.fixture
def roles(synthesis_of: Callable[[str], Synthesis], moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Roles:
    """The roles of the stage dev, which handlers are bound to."""
    made = Roles.of(synthesis_of("dev").template)
    clients: list[Any] = [moto_stage.s3, moto_stage.dynamodb]
    for client in clients:

        def checked(operation: str, parameters: Any, call: Any = client._make_api_call) -> Any:
            if refused := made.refusal(operation, parameters):
                raise ForbiddenError(f"{made.acting} has no right to {refused}")
            return call(operation, parameters)

        monkeypatch.setattr(client, "_make_api_call", checked)
    monkeypatch.setattr("tests.support.lambda_handlers.acting_as", made.act_as)
    return made


def _requests(operation: str, parameters: Parameters, table: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield what IAM is asked for a call: action, resource, and the condition keys that AWS documents."""
    if "Bucket" in parameters:
        yield from _s3_requests(operation, parameters)
    elif operation == "TransactWriteItems":
        for item in parameters["TransactItems"]:
            ((kind, each),) = item.items()
            action = "ConditionCheckItem" if kind == "ConditionCheck" else f"{kind}Item"
            yield f"dynamodb:{action}", table or _TABLES[each["TableName"]], _naming(_partition(each))
    elif operation == "BatchGetItem":
        for name, each in parameters["RequestItems"].items():
            yield "dynamodb:BatchGetItem", table or _TABLES[name], _naming(*(key["pk"]["S"] for key in each["Keys"]))
    else:
        named = [] if operation == "Scan" else [_partition(parameters)]
        yield f"dynamodb:{operation}", table or _TABLES[parameters["TableName"]], _naming(*named)


def _s3_requests(operation: str, parameters: Parameters) -> Iterator[tuple[str, str, dict[str, Any]]]:
    bucket = _BUCKETS[parameters["Bucket"]]
    if operation == "DeleteObjects":
        for each in parameters["Delete"]["Objects"]:
            yield "s3:DeleteObject", f"{bucket}/{each['Key']}", {}
        return
    conditions = {"s3:if-none-match": parameters["IfNoneMatch"]} if "IfNoneMatch" in parameters else {}
    place = f"{bucket}/{parameters['Key']}" if "Key" in parameters else bucket
    version = "Version" if "VersionId" in parameters else ""
    yield f"s3:{_OTHER_NAMES.get(operation, operation)}{version}", place, conditions


def _partition(parameters: Parameters) -> str:
    """Return the partition key that a request for items names."""
    for name in _KEYS:
        if name in parameters:
            return str(parameters[name]["pk"]["S"])
    placeholder = parameters["KeyConditionExpression"].removeprefix("pk = ").split()[0]
    return str(parameters["ExpressionAttributeValues"][placeholder]["S"])


def _naming(*keys: str) -> dict[str, Any]:
    return {"dynamodb:LeadingKeys": [*keys]} if keys else {}


def _named(resource: Any) -> str:
    return re.sub(r"<(\w+?)[0-9A-F]{8}\.Arn>", r"<\1.Arn>", text(resource))
