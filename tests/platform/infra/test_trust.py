"""Services act for this stage alone; functions that share a table have rights to their own items of it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.stages import FEATURE, STAGES
from tests.support.synthesis import Synthesis, listed, text

Statement = dict[str, Any]

# What a service can be asked to name besides its own account's resource.
NAMED = {
    "lambda.amazonaws.com": {"account"},  # whose ARN it names where it polls a queue is not documented
    "events.amazonaws.com": {"arn"},  # of one rule, and so of its account
    "chatbot.amazonaws.com": set(),  # names neither; its role has no rights
    "sagemaker.amazonaws.com": set(),  # what it names is not documented; a role is passed within its account only
}
SHARED_TABLES = ("<EventFilesLedger", "<VendorExportsSlots", "<ApiPullPulls")


@pytest.mark.parametrize("name", [*STAGES, FEATURE, "odd"])
def test_a_service_acts_for_our_account_and_resources_alone(
    synthesis_of: Callable[[str], Synthesis], name: str
) -> None:
    seen = set()
    for place, statement in _statements(synthesis_of(name)):
        for service in listed(_principal(statement).get("Service", [])):
            asked = _asked(statement.get("Condition", {}))
            assert asked == NAMED.get(service, {"account", "arn"}), f"{place}: {service}"
            seen.add(service)
    assert {"lambda.amazonaws.com", "states.amazonaws.com", "events.amazonaws.com", "logging.s3.amazonaws.com"} <= seen


@pytest.mark.parametrize("name", [each for each in (*STAGES, FEATURE, "odd") if each != "local"])
def test_a_right_to_a_table_that_functions_share_is_one_to_some_items(
    synthesis_of: Callable[[str], Synthesis], name: str
) -> None:
    functions = set()
    for place, statement in _statements(synthesis_of(name)):
        if any(text(each).startswith(SHARED_TABLES) for each in listed(statement.get("Resource", []))):
            condition = statement["Condition"]
            assert condition["Null"] == {"dynamodb:LeadingKeys": "false"}, f"{place}: a request without keys passes"
            keys = listed(condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"])
            assert not {"*", ""} & {*keys}, place
            assert not {"dynamodb:Scan", "dynamodb:PartiQLSelect"} & {*listed(statement["Action"])}, place
            functions.add(place)
    assert len(functions) > 10


def _statements(stage: Synthesis) -> Iterator[tuple[str, Statement]]:
    """Yield every statement that allows something, with the logical id of its resource."""
    for logical_id, resource in stage.resources():
        properties = resource.get("Properties", {})
        documents = [properties[name] for name in ("AssumeRolePolicyDocument", "PolicyDocument") if name in properties]
        documents += [{"Statement": properties["Statement"]}] if resource["Type"].endswith("EventBusPolicy") else []
        for document in documents:
            for statement in listed(document["Statement"]):
                if statement["Effect"] == "Allow":
                    yield logical_id, statement


def _principal(statement: Statement) -> dict[str, Any]:
    principal = statement.get("Principal", {})
    assert principal != "*", "everybody is allowed"
    assert isinstance(principal, dict)
    return principal


def _asked(conditions: dict[str, Any]) -> set[str]:
    """Return what a statement asks a service to name: its account, a resource."""
    keys = {key: value for named in conditions.values() for key, value in named.items()}
    arn = text(keys.get("aws:SourceArn", ""))
    assert not arn.endswith(":*"), "any resource"
    return {word for word, key in (("account", "aws:SourceAccount"), ("arn", "aws:SourceArn")) if key in keys}
