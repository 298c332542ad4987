"""Least privilege: what each role may do, word by word. A grant more or less has to be written here too."""

from typing import Any

import pytest
from aws_cdk import App
from aws_cdk import aws_iam as iam

from infra.platform.functions import allow
from infra.platform.observability.settings import Observability
from infra.platform.stage_stack import StageStack
from tests.platform.infra.expected_rights import (
    EVERY_FUNCTION,
    EVERY_MACHINE,
    FUNCTIONS,
    LETTERS,
    MACHINES,
    RULES,
    SCHEDULES,
)
from tests.platform.infra.granted_rights import (
    part_of,
    rights,
    to,
)
from tests.support.stages import stage_named
from tests.support.synthesis import Synthesis


def _each(rights: dict[str, dict[str, Any]]) -> list[tuple[str, str]]:
    return [(stack, name) for stack, names in rights.items() for name in names]


@pytest.mark.parametrize(("stack", "function"), _each(FUNCTIONS))
def test_a_function_may_do_this_and_nothing_else(stage: Synthesis, stack: str, function: str) -> None:
    expected = FUNCTIONS[stack][function] | EVERY_FUNCTION
    if function == "RunHistoryRecordRun" and stage.stage.settings(Observability).pages:
        expected |= to("topic", "sns:Publish")
    if function == "ValidateFiles" and stage.stage.source.existing:
        expected |= to("source/*", "s3:GetObjectVersion")  # it may be versioned
    assert rights(stage, stack, _role(stack, function)) == expected


@pytest.mark.parametrize(("stack", "machine"), _each(MACHINES))
def test_a_machine_may_do_this_and_nothing_else(stage: Synthesis, stack: str, machine: str) -> None:
    assert rights(stage, stack, f"{machine}Role") == MACHINES[stack][machine] | EVERY_MACHINE


@pytest.mark.parametrize(("stack", "schedule"), _each(SCHEDULES))
def test_a_schedule_may_call_its_target_and_nothing_else(prd: Synthesis, stack: str, schedule: str) -> None:
    assert rights(prd, stack, f"{schedule}Role") == SCHEDULES[stack][schedule] | LETTERS


@pytest.mark.parametrize(("stack", "rule"), _each(RULES))
def test_a_rule_may_start_its_target_and_nothing_else(prd: Synthesis, stack: str, rule: str) -> None:
    assert rights(prd, stack, f"{rule}Role") == RULES[stack][rule]


@pytest.mark.parametrize("stack", FUNCTIONS)
def test_these_are_all_roles_and_none_has_managed_policies(prd: Synthesis, stack: str) -> None:
    roles = part_of(prd, stack).of_type("AWS::IAM::Role")
    expected = {_role(stack, name) for name in FUNCTIONS[stack]}
    expected |= {f"{name}Role" for name in (*MACHINES[stack], *SCHEDULES.get(stack, ()), *RULES.get(stack, ()))}
    assert {logical_id[:-8] for logical_id in roles} == expected
    for role in roles.values():
        assert "ManagedPolicyArns" not in role["Properties"]
        assert "Policies" not in role["Properties"]


@pytest.mark.parametrize("stack", FUNCTIONS)
def test_no_policy_belongs_to_two_roles_or_to_nobody(stage: Synthesis, stack: str) -> None:
    template = part_of(stage, stack)
    policies = template.of_type("AWS::IAM::Policy").values()
    owners = [role["Ref"] for policy in policies for role in policy["Properties"]["Roles"]]
    assert sorted(owners) == sorted(template.of_type("AWS::IAM::Role"))
    assert not template.of_type("AWS::IAM::ManagedPolicy")


@pytest.mark.parametrize("stack", FUNCTIONS)
def test_nothing_calls_a_function_but_by_a_role_of_ours(stage: Synthesis, stack: str) -> None:
    callers = part_of(stage, stack).of_type("AWS::Lambda::Permission").values()
    assert [(each["Properties"]["Principal"], "SourceArn" in each["Properties"]) for each in callers] == (
        [("apigateway.amazonaws.com", True)] if stack == "recommender" else []
    )
    assert not part_of(stage, stack).of_type("AWS::Lambda::Url")


def test_a_wildcard_needs_a_reason() -> None:
    role = iam.Role(StageStack(App(), stage_named("dev")), "R", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    with pytest.raises(ValueError, match="say why"):
        allow(role, ["s3:GetObject"], ["arn:aws:s3:::b/*"])
    with pytest.raises(ValueError, match="one by one"):
        allow(role, ["s3:Get*"], ["arn:aws:s3:::b/k"], "reason")


def _role(stack: str, function: str) -> str:
    return {"observability": f"{function}Role", "lake": f"Catalog{function}Role"}.get(stack, f"Functions{function}Role")
