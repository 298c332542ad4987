"""Pull in the template: where failures go, what settings reach; tests/platform/infra has what all machines share."""

from dataclasses import fields
from typing import Any

import pytest

from infra.api_pull.settings import ApiPull
from infra.stage import FunctionSize
from sluice.api_pull import run_summary as states
from sluice.api_pull.contracts import ENDPOINTS
from tests.platform.infra.test_functions import HOUSE_VARIABLES
from tests.support.machine_graph import Machine, machine, reached
from tests.support.synthesis import Synthesis
from tests.support.synthesised_stages import ODD_PULLS

OF_THE_TEMPLATE = {
    "schedule",
    "has_header",
    "timeout_minutes",
    "load_max_concurrency",
    "late_minutes",
    "absent_hours",
} | {
    "raw_retention_days",
    "dirty_retention_days",
}
"""Settings that no function is told."""


@pytest.fixture
def pull(stage: Synthesis) -> Machine:
    return machine(stage.api_pull, "Pull")


def caught(machine: Machine, state: str) -> str:
    (rule,) = machine.states[state]["Catch"]
    target: str = rule["Next"]
    return target


def test_an_endpoint_that_fails_does_not_take_the_others_with_it(pull: Machine) -> None:
    following = [*(states.extract_state(endpoint) for endpoint in ENDPOINTS[1:]), "Load the mart"]
    for endpoint, then in zip(ENDPOINTS, following, strict=True):
        noted = f"Note that {states.shown(endpoint)} failed"
        for state in (states.extract_state, states.check_state, states.keep_state):
            assert caught(pull, state(endpoint)) == noted
        assert pull.states[states.keep_state(endpoint)]["Next"] == pull.states[noted]["Next"] == then


def test_a_part_that_fails_leaves_the_other_endpoints_to_be_loaded(pull: Machine) -> None:
    assert pull.map["ToleratedFailurePercentage"] == 100
    assert caught(pull, states.LOAD_PARTS) == pull.states[states.LOAD_PARTS]["Next"] == states.BEGIN_LOAD


def test_whatever_was_begun_is_recorded(pull: Machine) -> None:
    begun = reached(pull.definition, states.HEALTH, barred={states.RECORD})
    assert not [name for name in begun if pull.states[name]["Type"] in {"Succeed", "Fail"}]
    assert {caught(pull, name) for name in (states.HEALTH, states.BEGIN_LOAD, states.PUBLISH, states.SWEEP)} == {
        states.RECORD
    }


def test_the_settings_of_the_stage_reach_machine_schedule_and_functions(odd: Synthesis) -> None:
    pull = machine(odd.api_pull, "Pull")
    assert pull.definition["TimeoutSeconds"] == 60 * ODD_PULLS.timeout_minutes
    assert pull.map["MaxConcurrency"] == ODD_PULLS.load_max_concurrency
    schedule = odd.api_pull.named("AWS::Scheduler::Schedule", "EachDay")["Properties"]
    assert schedule["ScheduleExpression"] == ODD_PULLS.schedule
    told = set[str]()
    for folder, function in odd.functions():
        if isinstance(getattr(ODD_PULLS, folder, None), FunctionSize):
            variables: dict[str, Any] = function["Environment"]["Variables"]
            told |= {str(value) for name, value in variables.items() if name not in HOUSE_VARIABLES}
    for field in fields(ODD_PULLS):
        value = getattr(ODD_PULLS, field.name)
        assert isinstance(value, FunctionSize) or field.name in OF_THE_TEMPLATE or str(value) in told, field.name


def test_pulls_without_a_source_have_no_schedule() -> None:
    with pytest.raises(ValueError, match="with a schedule, source_url is needed"):
        ApiPull(schedule="cron(9 2 * * ? *)")
