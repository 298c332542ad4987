"""What a cloud says of the resources of a stack, in the words of its APIs, by their logical ids."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from tests.referees.second_cloud.cloud import StackCloud
from tests.referees.second_cloud.stack import Json, as_text

Reader = Callable[[StackCloud, str], Json]

_TIMES = re.compile(r"^(creation|created|last|stored)|(date|datetime|timestamp|id|lastused)$", re.IGNORECASE)
_OWN = {"tableid", "roleid", "warmthroughput", "provisionedthroughput", "responsemetadata", "tags", "policy"}


def described(cloud: StackCloud, stack: str) -> dict[str, Json]:
    """Return what the cloud says of each resource that is described here; each has its logical id for its name."""
    pages = cloud.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    made = [each for page in pages for each in page["StackResourceSummaries"]]
    found = [each for each in made if each["ResourceType"] in _READERS]
    said = {
        each["LogicalResourceId"]: _READERS[each["ResourceType"]](cloud, each["PhysicalResourceId"]) for each in found
    }
    names = {
        name: each["LogicalResourceId"]
        for each in made
        if each["ResourceType"] in _REFERRED_TO
        for name in _names(each["PhysicalResourceId"])
    }
    physical = re.compile(
        "|".join(rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in sorted(names, key=len, reverse=True))
    )
    return dict(_lasting(said, lambda text: physical.sub(lambda name: f"<{names[name[0]]}>", text)))


def _names(physical_id: str) -> set[str]:
    """Return the names by which an id is known elsewhere: a queue's URL and its name, an ARN and its end."""
    ends = {re.split("[/:]", physical_id)[-1]} if physical_id.startswith(("arn:", "http")) else set()
    return {physical_id} | ends


def _lasting(value: Any, put: Callable[[str], str]) -> Any:
    """Return a value without empty members, and what is of one deployment only: times, ids, counts, names."""
    match value:
        case dict():
            kept = {name: _lasting(each, put) for name, each in value.items() if not _is_passing(name)}
            return {name: each for name, each in kept.items() if each not in (None, "", [], {}, 0)}
        case list():
            return [_lasting(each, put) for each in value]
        case str():
            return put(value)
    return value


def differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Yield where two descriptions differ, with what each says."""
    match one, other:
        case dict(), dict():
            for name in sorted(one.keys() | other.keys()):
                yield from differences(one.get(name), other.get(name), f"{place}/{name}")
        case list(), list() if len(one) == len(other):
            for number, pair in enumerate(zip(one, other, strict=True)):
                yield from differences(*pair, f"{place}/{number}")
        case _ if one != other:
            yield f"{place}: {one} | {other}"


def _is_passing(name: str) -> bool:
    return bool(_TIMES.search(name)) or name.lower() in _OWN


def _said(cloud: StackCloud, service: str, operation: str, **asked: Any) -> Json:
    return dict(getattr(cloud.client(service), operation)(**asked))


def _one(service: str, operation: str, member: str, parameter: str) -> Reader:
    return lambda cloud, name: dict(_said(cloud, service, operation, **{parameter: name})[member])


def _bucket(cloud: StackCloud, name: str) -> Json:
    found: Json = {}
    for operation in ("versioning", "encryption", "lifecycle_configuration", "logging"):
        with suppress(ClientError):  # nothing of the kind is set
            found[operation] = _said(cloud, "s3", f"get_bucket_{operation}", Bucket=name)
    return found


def _queue(cloud: StackCloud, url: str) -> Json:
    attributes = _said(cloud, "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    redrive = json.loads(attributes.pop("RedrivePolicy", "{}"))
    return {**attributes, "RedrivePolicy": redrive}


def _role(cloud: StackCloud, name: str) -> Json:
    policies = _said(cloud, "iam", "list_role_policies", RoleName=name)["PolicyNames"]
    asked = partial(_said, cloud, "iam", "get_role_policy", RoleName=name)
    inline = sorted((asked(PolicyName=each)["PolicyDocument"] for each in policies), key=as_text)
    return {**_said(cloud, "iam", "get_role", RoleName=name)["Role"], "inline": inline}


def _machine(cloud: StackCloud, arn: str) -> Json:
    said = _said(cloud, "stepfunctions", "describe_state_machine", stateMachineArn=arn)
    return {"definition": json.loads(said["definition"]), **{name: said.get(name) for name in ("roleArn", "type")}}


def _rule(cloud: StackCloud, name: str) -> Json:
    rule = name.rpartition("/")[2]
    said = _said(cloud, "events", "describe_rule", Name=rule)
    targets = _said(cloud, "events", "list_targets_by_rule", Rule=rule)["Targets"]
    return {"pattern": json.loads(said["EventPattern"]), "state": said["State"], "targets": targets}


def _table(cloud: StackCloud, name: str) -> Json:
    backups = _said(cloud, "dynamodb", "describe_continuous_backups", TableName=name)["ContinuousBackupsDescription"]
    lives = _said(cloud, "dynamodb", "describe_time_to_live", TableName=name)["TimeToLiveDescription"]
    recovery = backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]
    return {**_said(cloud, "dynamodb", "describe_table", TableName=name)["Table"], "recovery": recovery, "lives": lives}


_FUNCTION = ("Runtime", "Role", "Handler", "Timeout", "MemorySize", "Environment", "Architectures", "EphemeralStorage")
_MAPPING = ("EventSourceArn", "BatchSize", "MaximumBatchingWindowInSeconds", "FunctionArn", "ScalingConfig")


def _function(cloud: StackCloud, name: str) -> Json:
    said = _said(cloud, "lambda", "get_function_configuration", FunctionName=name)
    return {member: said.get(member) for member in _FUNCTION}


def _mapping(cloud: StackCloud, uuid: str) -> Json:
    said = _said(cloud, "lambda", "get_event_source_mapping", UUID=uuid)
    return {member: said.get(member) for member in (*_MAPPING, "FunctionResponseTypes")}


def _log_group(cloud: StackCloud, name: str) -> Json:
    (said,) = _said(cloud, "logs", "describe_log_groups", logGroupNamePrefix=name)["logGroups"]
    return {"retentionInDays": said["retentionInDays"]}


_READERS: Mapping[str, Reader] = {
    "AWS::DynamoDB::Table": _table,
    "AWS::Events::Rule": _rule,
    "AWS::IAM::Role": _role,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lambda::Function": _function,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::SQS::Queue": _queue,
    "AWS::StepFunctions::StateMachine": _machine,
}
_REFERRED_TO = {*_READERS, "AWS::SNS::Topic"}
