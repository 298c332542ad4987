"""The History machine; `test_machines.py` has what all machines share."""

import pytest

from infra.vendor_exports.settings import VendorExports
from tests.support.machine_graph import Machine, loops, machine, path
from tests.support.synthesis import Synthesis

STEPS = ["Cut the range into parts", "Observe the parts", "Merge the parts"]


@pytest.fixture
def history(stage: Synthesis) -> Machine:
    return machine(stage.vendor_exports, "History")


def test_the_order_of_a_run(history: Machine) -> None:
    assert path(history.definition, history.definition["StartAt"]) == [*STEPS, "Histories initialised"]
    assert not loops(history.definition)


def test_whatever_fails_ends_the_run_before_anything_is_merged(history: Machine) -> None:
    assert history.map.get("ToleratedFailureCount", 0) == 0
    assert "ToleratedFailurePercentage" not in history.map
    for name in STEPS:
        assert [rule["Next"] for rule in history.states[name]["Catch"]] == ["Histories not initialised"]
    assert history.states["Histories not initialised"]["Type"] == history.in_map["Part not observed"]["Type"] == "Fail"


def test_parts_come_from_the_plan_file_and_nothing_grows_in_the_state(history: Machine) -> None:
    assert history.map["ItemReader"]["ReaderConfig"]["ItemsPointer"] == "/parts"
    assert history.map["ItemReader"]["Parameters"]["Key.$"] == "$.plan_key"
    assert "ItemSelector" not in history.map
    assert history.in_map["Observe one part"]["ResultPath"] is None
    assert history.states["Merge the parts"]["ResultPath"] == "$.merged"


def test_what_the_steps_are_told(history: Machine) -> None:
    asked = history.states["Cut the range into parts"]["Parameters"]
    assert asked == {"execution.$": "$$.Execution.Id", "first.$": "$.first", "last.$": "$.last"}
    assert history.states["Merge the parts"]["Parameters"] == {"run_id.$": "$.run_id"}


def test_the_settings_of_the_stage_bound_the_machine(odd: Synthesis) -> None:
    history = machine(odd.vendor_exports, "History")
    assert history.definition["TimeoutSeconds"] == odd.stage.settings(VendorExports).history_timeout_minutes * 60
    assert history.map["MaxConcurrency"] == odd.stage.settings(VendorExports).observe_max_concurrency
