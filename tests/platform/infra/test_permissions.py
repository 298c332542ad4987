"""Least privilege: what each role may do, word by word. A grant more or less has to be written here too."""

from __future__ import annotations

import re
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_iam as iam

from infra.platform.permissions import allow
from tests.support.synthesis import Synthesis, Template, listed, text

READ, WRITE, DELETE, LIST = "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"
SECRET = "secretsmanager:GetSecretValue"
WATCH = ("states:DescribeExecution", "states:StopExecution")
FLOWS = {"dev": "DEV/IMOSDL", "prd": "IMOSDL"}

CONSUME = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl")

# What every function may do: write its own log, send traces.
EVERY_FUNCTION = {
    ("logs:CreateLogStream", "own log"),
    ("logs:PutLogEvents", "own log"),
    ("xray:PutTraceSegments", "*"),
    ("xray:PutTelemetryRecords", "*"),
}
# By stack and function; `flow/` is the folder of the stage's flow of the vendor.
FUNCTIONS: dict[str, dict[str, set[tuple[str, str]]]] = {
    "event_files": {
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
            ("states:DescribeExecution", "executions of convert"),
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
            ("sqs:SendMessage", "missed calls"),
        },
    },
    "exports": {
        "BeginExport": {
            ("dynamodb:GetItem", "slots"),
            ("dynamodb:UpdateItem", "slots"),
            ("states:DescribeExecution", "executions of export"),
        },
        "TriggerJob": {
            (SECRET, "the vendor's secret"),
            ("dynamodb:UpdateItem", "slots"),
        },
        "CheckJob": {
            (SECRET, "the vendor's secret"),
            ("dynamodb:GetItem", "slots"),
            ("dynamodb:UpdateItem", "slots"),
        },
        "ListFiles": {
            (SECRET, "the vendor's secret"),
            ("dynamodb:GetItem", "slots"),
            (READ, "flow/Hourly/*"),
            (WRITE, "flow/Hourly/*"),
            (READ, "lake/runs/exports/*"),
            (WRITE, "lake/runs/exports/*"),
            (LIST, "lake"),
        },
        "CopyFiles": {
            (SECRET, "the vendor's secret"),
            ("dynamodb:GetItem", "slots"),
            ("dynamodb:PutItem", "slots"),
            ("dynamodb:DeleteItem", "slots"),
            (READ, "flow/Hourly/*"),
            (WRITE, "flow/Hourly/*"),
            ("s3:AbortMultipartUpload", "flow/Hourly/*"),
            ("s3:ListMultipartUploadParts", "flow/Hourly/*"),
            (WRITE, "lake/runs/exports/*"),
            (LIST, "lake"),
        },
        "CheckDelivery": {
            (READ, "flow/Hourly/*"),
            (READ, "lake/runs/exports/*"),
            (LIST, "lake"),
            ("dynamodb:UpdateItem", "slots"),
        },
        "CloseExport": {
            ("dynamodb:GetItem", "slots"),
            ("dynamodb:UpdateItem", "slots"),
        },
        "UpdateHistory": {
            (LIST, "lake"),
            (READ, "flow/Hourly/*"),
            (READ, "lake/runs/history/*"),
            (READ, "flow/DataObservability/*"),
            (WRITE, "flow/DataObservability/*"),
            (READ, "lake/data/history/*"),
            (WRITE, "lake/data/history/*"),
        },
        "PlanHistory": {
            (WRITE, "lake/runs/history/*"),
        },
        "ObserveHours": {
            (LIST, "lake"),
            (READ, "flow/Hourly/*"),
            (WRITE, "lake/runs/history/*"),
        },
    },
}
# What every machine may do: deliver its log, send traces.
EVERY_MACHINE = {
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


def _machine(name: str, plans: str, label: str, *functions: str) -> set[tuple[str, str]]:
    """What a machine may do: call its functions, read its plans, run its map, and know its own executions."""
    watched = (f"executions of {name}", f"children {label} of {name}")
    return {
        *(("lambda:InvokeFunction", function) for function in functions),
        (READ, plans),
        ("states:StartExecution", f"machine {name}"),
        *((action, resource) for action in WATCH for resource in watched),
        ("states:RedriveExecution", f"children {label} of {name}"),
    }


MACHINES = {
    "event_files": {
        "Convert": _machine(
            "convert",
            "lake/runs/*",
            "ConvertTheBatches",
            "PlanConversion",
            "ConvertBatch",
            "CommitConversion",
            "ProfileRun",
        )
    },
    "exports": {
        "Export": _machine(
            "export",
            "lake/runs/exports/*",
            "CopyTheFiles",
            "BeginExport",
            "TriggerJob",
            "CheckJob",
            "ListFiles",
            "CopyFiles",
            "CheckDelivery",
            "CloseExport",
            "UpdateHistory",
        ),
        "History": _machine(
            "history",
            "lake/runs/history/*",
            "ObserveTheParts",
            "PlanHistory",
            "ObserveHours",
            "UpdateHistory",
        ),
    },
}
SCHEDULES = {
    "event_files": {
        "Conversions": ("states:StartExecution", "machine convert"),
        "Sweeps": ("lambda:InvokeFunction", "SweepOrphans"),
    },
    "exports": {"Exports": ("states:StartExecution", "machine export")},
}


def _each(rights: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    return [(stack, name) for stack, names in rights.items() for name in names]


@pytest.mark.parametrize(("stack", "function"), _each(FUNCTIONS))
def test_a_function_may_do_this_and_nothing_else(stage: Synthesis, stack: str, function: str) -> None:
    assert _rights(stage, stack, f"Functions{function}Role") == FUNCTIONS[stack][function] | EVERY_FUNCTION


@pytest.mark.parametrize(("stack", "machine"), _each(MACHINES))
def test_a_machine_may_do_this_and_nothing_else(stage: Synthesis, stack: str, machine: str) -> None:
    assert _rights(stage, stack, f"{machine}Role") == MACHINES[stack][machine] | EVERY_MACHINE


@pytest.mark.parametrize(("stack", "schedule"), _each(SCHEDULES))
def test_a_schedule_may_call_its_target_and_nothing_else(prd: Synthesis, stack: str, schedule: str) -> None:
    rights = {SCHEDULES[stack][schedule], ("sqs:SendMessage", "missed calls")}
    assert _rights(prd, stack, f"{schedule}Role") == rights


@pytest.mark.parametrize("stack", FUNCTIONS)
def test_these_are_all_roles_and_none_has_managed_policies(prd: Synthesis, stack: str) -> None:
    roles = _template(prd, stack).of_type("AWS::IAM::Role")
    expected = {f"Functions{name}Role" for name in FUNCTIONS[stack]}
    expected |= {f"{name}Role" for name in (*MACHINES[stack], *SCHEDULES[stack])}
    assert {logical_id[:-8] for logical_id in roles} == expected
    for role in roles.values():
        assert "ManagedPolicyArns" not in role["Properties"]
        assert "Policies" not in role["Properties"]


@pytest.mark.parametrize("stack", FUNCTIONS)
def test_no_policy_belongs_to_two_roles_or_to_nobody(stage: Synthesis, stack: str) -> None:
    template = _template(stage, stack)
    policies = template.of_type("AWS::IAM::Policy").values()
    owners = [role["Ref"] for policy in policies for role in policy["Properties"]["Roles"]]
    assert sorted(owners) == sorted(template.of_type("AWS::IAM::Role"))
    assert not template.of_type("AWS::IAM::ManagedPolicy")


@pytest.mark.parametrize("stack", FUNCTIONS)
def test_a_role_is_assumed_by_one_service(prd: Synthesis, stack: str) -> None:
    services = {
        "Functions": "lambda",
        **dict.fromkeys((f"{name}Role" for name in MACHINES[stack]), "states"),
        **dict.fromkeys((f"{name}Role" for name in SCHEDULES[stack]), "scheduler"),
    }
    for logical_id, role in _template(prd, stack).of_type("AWS::IAM::Role").items():
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        (service,) = [service for start, service in services.items() if logical_id.startswith(start)]
        assert statement["Principal"] == {"Service": f"{service}.amazonaws.com"}
        ours = {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
        assert statement.get("Condition") == (ours if service == "scheduler" else None)


@pytest.mark.parametrize("stack", FUNCTIONS)
def test_nothing_calls_a_function_but_by_a_role_of_ours(stage: Synthesis, stack: str) -> None:
    assert not _template(stage, stack).of_type("AWS::Lambda::Permission")
    assert not _template(stage, stack).of_type("AWS::Lambda::Url")


def test_a_wildcard_needs_a_reason() -> None:
    role = iam.Role(Stack(App(), "S"), "R", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    with pytest.raises(ValueError, match="say why"):
        allow(role, ["s3:GetObject"], ["arn:aws:s3:::b/*"])
    with pytest.raises(ValueError, match="one by one"):
        allow(role, ["s3:Get*"], ["arn:aws:s3:::b/k"], "reason")


def _rights(stage: Synthesis, stack: str, role: str) -> set[tuple[str, str]]:
    """Every (action, resource) a role is allowed; a Deny or a condition would show as something unknown."""
    rights = set()
    for statement in _template(stage, stack).statements(role):
        assert statement.keys() == {"Action", "Effect", "Resource"}
        assert statement["Effect"] == "Allow"
        rights |= {
            (action, _known(stage, role, text(resource)))
            for action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
        }
    return rights


def _template(stage: Synthesis, stack: str) -> Template:
    template: Template = getattr(stage, stack)
    return template


def _known(stage: Synthesis, role: str, resource: str) -> str:
    """The name of a resource in this file; what is no resource of the stage stays as it is."""
    imported = r"import:Sluice-\w+-Lake:ExportsOutputFnGetAtt"
    machine = rf":{stage.stage.resource_prefix}-(\w+)"
    names = {
        rf"{imported}Lake\w{{8}}Arn\w{{8}}/{FLOWS[stage.stage.name]}/": "flow/",
        rf"{imported}Lake\w{{8}}Arn\w{{8}}": "lake",
        rf"{imported}Source\w{{8}}Arn\w{{8}}": "source",
        rf"arn:(?:aws|<AWS::Partition>):s3:::{stage.stage.source_bucket}": "source",
        rf"{imported}Ledger\w{{8}}Arn\w{{8}}": "ledger",
        rf"{imported}MediaIndex\w{{8}}Arn\w{{8}}": "media index",
        rf"{imported}Slots\w{{8}}Arn\w{{8}}": "slots",
        rf"arn:.*:secretsmanager:.*:secret:sluice-{stage.stage.name}/veson-\?{{6}}$": "the vendor's secret",
        r"<FilesQueue\w{8}\.Arn>": "queue of files",
        r"<MediaQueue\w{8}\.Arn>": "queue of media",
        r"<MissedCalls\w{8}\.Arn>": "missed calls",
        rf"<{role.removesuffix('Role')}Log\w{{8}}\.Arn>": "own log",
        r"<Functions(\w+)Function\w{8}\.Arn>": r"\1",
        rf"arn:.*:states:.*:stateMachine{machine}$": r"machine \1",
        rf"arn:.*:states:.*:execution{machine}:\*$": r"executions of \1",
        rf"arn:.*:states:.*:execution{machine}/(\w+):\*$": r"children \2 of \1",
    }
    for pattern, name in names.items():
        if found := re.match(pattern, resource):
            return found.expand(name) + resource[found.end() :]
    return resource
