"""The Convert machine; `test_machines.py` has what all machines share."""

import pytest

from infra.event_files.settings import EventFiles
from tests.support.machine_graph import Machine, loops, machine, path, targets
from tests.support.synthesis import Synthesis


@pytest.fixture
def convert(stage: Synthesis) -> Machine:
    return machine(stage.event_files, "Convert")


def test_the_machine_and_its_map_are_bounded_and_no_group_ends_the_run(stage: Synthesis, convert: Machine) -> None:
    settings = stage.stage.settings(EventFiles)
    assert convert.definition["TimeoutSeconds"] == settings.conversion_timeout_minutes * 60
    assert convert.map["MaxConcurrency"] == settings.convert_max_concurrency
    assert convert.map["ToleratedFailurePercentage"] == 100
    assert "ToleratedFailureCount" not in convert.map


def test_batches_come_from_the_plan_file_and_nothing_grows_in_the_state(convert: Machine) -> None:
    assert convert.map["ItemReader"]["ReaderConfig"]["ItemsPointer"] == "/groups"
    assert convert.map["ItemReader"]["Parameters"]["Key.$"] == "$.plan_key"
    assert "ItemSelector" not in convert.map
    assert convert.states["Publish the profiling log"]["ResultPath"] is None


def test_what_the_steps_are_told(convert: Machine) -> None:
    planned = convert.states["Plan the run"]["Parameters"]
    assert planned == {"execution.$": "$$.Execution.Id"}
    of_the_run = {"plan_key.$": "$.plan_key"}
    assert convert.states["Commit the run"]["Parameters"] == of_the_run | {"execution.$": "$$.Execution.Id"}
    assert convert.states["Publish the profiling log"]["Parameters"] == of_the_run


def test_the_plan_decides_where_it_goes(convert: Machine) -> None:
    choice = convert.states["Is there anything to convert?"]
    assert {rule["StringEquals"]: rule["Next"] for rule in choice["Choices"]} == {
        "planned": "Convert the batches",
        "busy": "Another run is converting",
        "nothing_to_do": "Nothing to convert",
    }
    assert convert.states[choice["Default"]]["Type"] == "Fail"
    assert targets(convert.states["Plan the run"])[-1] == "Is there anything to convert?"


def test_the_order_of_a_run(convert: Machine) -> None:
    run = ["Convert the batches", "Commit the run", "Was every batch converted?"]
    assert path(convert.definition, "Convert the batches") == run
    choice = convert.states[run[-1]]
    assert choice["Default"] == "Publish the profiling log"
    assert {rule["StringEquals"]: rule["Next"] for rule in choice["Choices"]} == {"planned_again": run[0]}
    assert loops(convert.definition) == {frozenset(run)}


def test_whatever_fails_ends_the_run(convert: Machine) -> None:
    for name in ("Plan the run", "Convert the batches", "Commit the run", "Publish the profiling log"):
        (caught,) = convert.states[name]["Catch"]
        assert (caught["Next"], caught["ResultPath"]) == ("Conversion failed", "$.failure")
    assert convert.states["Conversion failed"]["Type"] == convert.in_map["Batch not converted"]["Type"] == "Fail"
