"""Least privilege: what each role may do, word by word. A grant more or less has to be written here too."""

from __future__ import annotations

import re

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam

from infra.constructs.permissions import allow
from tests.infra.synthesis import Synthesis, listed, text

READ, WRITE, DELETE, LIST = "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"

CONSUME = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl")

# What every function may do: write its own log, send traces.
EVERY_FUNCTION = {
    ("logs:CreateLogStream", "own log"),
    ("logs:PutLogEvents", "own log"),
    ("xray:PutTraceSegments", "*"),
    ("xray:PutTelemetryRecords", "*"),
}
FUNCTIONS: dict[str, set[tuple[str, str]]] = {
    "ValidateFiles": {
        (READ, "source/*"),
        (LIST, "source"),
        (WRITE, "lake/data/clean_json/*"),
        (WRITE, "lake/data/dirty_json/*"),
        (WRITE, "lake/data/unrelated_json/*"),
        ("dynamodb:BatchGetItem", "ledger"),
        ("dynamodb:PutItem", "ledger"),
        ("dynamodb:Query", "media index"),
        *((f"sqs:{action}", "queue of files") for action in CONSUME),
    },
    "IndexMedia": {
        ("dynamodb:BatchWriteItem", "media index"),
        *((f"sqs:{action}", "queue of media") for action in CONSUME),
    },
    "PlanConversion": {
        (WRITE, "lake/runs/*"),
        ("dynamodb:Query", "ledger"),
        ("dynamodb:GetItem", "ledger"),
        ("dynamodb:PutItem", "ledger"),
        ("dynamodb:DeleteItem", "ledger"),
        ("states:DescribeExecution", "executions"),
    },
    "ConvertBatch": {
        (READ, "lake/data/clean_json/*"),
        (READ, "lake/data/dirty_json/*"),
        (READ, "lake/runs/*"),
        (LIST, "lake"),
        (WRITE, "lake/data/clean_parquet/*"),
        (WRITE, "lake/runs/*"),
    },
    "CommitConversion": {
        (READ, "lake/runs/*"),
        (WRITE, "lake/runs/*"),
        (LIST, "lake"),
        (DELETE, "lake/data/clean_json/*"),
        ("dynamodb:Query", "ledger"),
        ("dynamodb:PutItem", "ledger"),
        ("dynamodb:DeleteItem", "ledger"),
    },
    "ProfileRun": {
        (READ, "lake/runs/*"),
        (WRITE, "lake/data/clean_parquet/PROFILING_LOG.parquet/*"),
        ("dynamodb:DeleteItem", "ledger"),
    },
    "SweepOrphans": {
        (LIST, "lake"),
        (DELETE, "lake/data/clean_json/*"),
        (DELETE, "lake/data/dirty_json/*"),
        (DELETE, "lake/data/unrelated_json/*"),
        ("dynamodb:BatchGetItem", "ledger"),
    },
}
MACHINE = {
    ("lambda:InvokeFunction", "PlanConversion"),
    ("lambda:InvokeFunction", "ConvertBatch"),
    ("lambda:InvokeFunction", "CommitConversion"),
    ("lambda:InvokeFunction", "ProfileRun"),
    (READ, "lake/runs/*"),
    ("states:StartExecution", "machine"),
    ("states:DescribeExecution", "executions"),
    ("states:StopExecution", "executions"),
    ("states:DescribeExecution", "children"),
    ("states:StopExecution", "children"),
    ("states:RedriveExecution", "children"),
    ("xray:PutTraceSegments", "*"),
    ("xray:PutTelemetryRecords", "*"),
    ("xray:GetSamplingRules", "*"),
    ("xray:GetSamplingTargets", "*"),
    *(
        (f"logs:{action}", "*")
        for action in (
            "CreateLogDelivery",
            "GetLogDelivery",
            "UpdateLogDelivery",
            "DeleteLogDelivery",
            "ListLogDeliveries",
            "PutResourcePolicy",
            "DescribeResourcePolicies",
            "DescribeLogGroups",
        )
    ),
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_may_do_this_and_nothing_else(stage: Synthesis, function: str) -> None:
    assert _rights(stage, f"Functions{function}Role") == FUNCTIONS[function] | EVERY_FUNCTION


def test_the_machine_may_do_this_and_nothing_else(stage: Synthesis) -> None:
    assert _rights(stage, "ConvertRole") == MACHINE


@pytest.mark.parametrize(
    ("role", "right"),
    [
        ("ConversionsRole", ("states:StartExecution", "machine")),
        ("SweepsRole", ("lambda:InvokeFunction", "SweepOrphans")),
    ],
)
def test_a_schedule_may_call_its_target_and_nothing_else(stage: Synthesis, role: str, right: tuple[str, str]) -> None:
    assert _rights(stage, role) == {right, ("sqs:SendMessage", "missed calls")}


def test_these_are_all_roles_and_none_has_managed_policies(stage: Synthesis) -> None:
    roles = stage.event_files.of_type("AWS::IAM::Role")
    assert len(roles) == len(FUNCTIONS) + len(("ConvertRole", "ConversionsRole", "SweepsRole"))
    for role in roles.values():
        assert "ManagedPolicyArns" not in role["Properties"]
        assert "Policies" not in role["Properties"]


def test_a_role_is_assumed_by_one_service(stage: Synthesis) -> None:
    services = {
        "Functions": "lambda",
        "ConvertRole": "states",
        "ConversionsRole": "scheduler",
        "SweepsRole": "scheduler",
    }
    for logical_id, role in stage.event_files.of_type("AWS::IAM::Role").items():
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        (service,) = [service for start, service in services.items() if logical_id.startswith(start)]
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
        ours = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        assert statement.get("Condition") == (ours if service == "scheduler" else None)


def test_nothing_calls_a_function_but_by_a_role_of_ours(stage: Synthesis) -> None:
    assert not stage.event_files.of_type("AWS::Lambda::Permission")
    assert not stage.event_files.of_type("AWS::Lambda::Url")


def test_a_wildcard_needs_a_reason() -> None:
    role = iam.Role(Stack(App(), "S"), "R", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    with pytest.raises(ValueError, match="say why"):
        allow(role, ["s3:GetObject"], ["arn:aws:s3:::b/*"])
    with pytest.raises(ValueError, match="one by one"):
        allow(role, ["s3:Get*"], ["arn:aws:s3:::b/k"], "reason")


def _rights(stage: Synthesis, role: str) -> set[tuple[str, str]]:
    """Every (action, resource) a role is allowed; a Deny or a condition would show as something unknown."""
    rights = set()
    for statement in stage.event_files.statements(role):
        assert statement.keys() == {"Action", "Effect", "Resource"}
        assert statement["Effect"] == "Allow"
        rights |= {
            (action, _known(stage, role, text(resource)))
            for action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        }
    return rights


def _known(stage: Synthesis, role: str, resource: str) -> str:
    """The name of a resource in this file; what is no resource of the stage stays as it is."""
    machine = f":{stage.stage.resource_prefix}-convert"
    names = {
        r"import:Sluice-\w+-Lake:ExportsOutputFnGetAttLake\w{8}Arn\w{8}": "lake",
        r"import:Sluice-\w+-Lake:ExportsOutputFnGetAttSource\w{8}Arn\w{8}": "source",
        rf"arn:(aws|<AWS::Partition>):s3:::{stage.stage.source_bucket}": "source",
        r"import:Sluice-\w+-Lake:ExportsOutputFnGetAttLedger\w{8}Arn\w{8}": "ledger",
        r"import:Sluice-\w+-Lake:ExportsOutputFnGetAttMediaIndex\w{8}Arn\w{8}": "media index",
        r"<FilesQueue\w{8}\.Arn>": "queue of files",
        r"<MediaQueue\w{8}\.Arn>": "queue of media",
        r"<MissedCalls\w{8}\.Arn>": "missed calls",
        rf"<{role.removesuffix('Role')}Log\w{{8}}\.Arn>": "own log",
        rf"arn:.*:states:.*:stateMachine{machine}$": "machine",
        rf"arn:.*:states:.*:execution{machine}:\*$": "executions",
        rf"arn:.*:states:.*:execution{machine}/ConvertTheBatches:\*$": "children",
    }
    if function := re.fullmatch(r"<Functions(\w+)Function\w{8}\.Arn>", resource):
        return function[1]
    for pattern, name in names.items():
        if found := re.match(pattern, resource):
            return name + resource[found.end() :]
    return resource
