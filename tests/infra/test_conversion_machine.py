from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.infra.machine_graph import State, graphs, is_end, reached, targets
from tests.infra.synthesis import Synthesis, text

MACHINE = "AWS::StepFunctions::StateMachine"
TRANSIENT = {"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"} | {
    "Lambda.TooManyRequestsException"
}


@pytest.fixture
def definition(stage: Synthesis) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(text(stage.event_files.properties(MACHINE, "Convert")["DefinitionString"]))
    return parsed


def test_every_target_exists(definition: dict[str, Any]) -> None:
    for graph in graphs(definition):
        assert graph["StartAt"] in graph["States"]
        for name, state in graph["States"].items():
            assert set(targets(state)) <= graph["States"].keys(), name


def test_every_state_is_reachable(definition: dict[str, Any]) -> None:
    for graph in graphs(definition):
        assert reached(graph, graph["StartAt"]) == graph["States"].keys()


def test_every_path_ends(definition: dict[str, Any]) -> None:
    for graph in graphs(definition):
        for name, state in graph["States"].items():
            assert is_end(state) != bool(targets(state)) or state.get("Catch"), f"{name} neither ends nor goes on"
            assert any(is_end(graph["States"][further]) for further in reached(graph, name)), name


def test_no_path_comes_back_to_a_state(definition: dict[str, Any]) -> None:
    for graph in graphs(definition):
        for name, state in graph["States"].items():
            assert all(name not in reached(graph, target) for target in targets(state)), f"{name} is in a loop"


def test_every_task_is_bounded_retried_with_jitter_and_caught(definition: dict[str, Any]) -> None:
    for name, task in _states(definition, "Task"):
        assert task["TimeoutSeconds"] > 0, name
        assert {error for rule in task["Retry"] for error in rule["ErrorEquals"]} >= TRANSIENT, name
        _assert_patient(task, name)
        assert [rule["ErrorEquals"] for rule in task["Catch"]] == [["States.ALL"]], name


def test_a_task_waits_longer_than_its_function_may_take(stage: Synthesis, definition: dict[str, Any]) -> None:
    functions = stage.event_files.of_type("AWS::Lambda::Function")
    for name, task in _states(definition, "Task"):
        (function,) = [each for key, each in functions.items() if f"<{key}.Arn>" == task["Parameters"]["FunctionName"]]
        assert function["Properties"]["Timeout"] < task["TimeoutSeconds"], name


def test_the_map_is_bounded_retried_caught_and_forgives_nothing(stage: Synthesis, definition: dict[str, Any]) -> None:
    ((name, batches),) = _states(definition, "Map")
    assert batches["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert batches["MaxConcurrency"] == stage.stage.convert_max_concurrency
    assert batches.get("ToleratedFailureCount", 0) == 0
    assert "ToleratedFailurePercentage" not in batches
    _assert_patient(batches, name)
    assert [rule["ErrorEquals"] for rule in batches["Catch"]] == [["States.ALL"]]


def test_batches_come_from_the_plan_file_and_nothing_grows_in_the_state(definition: dict[str, Any]) -> None:
    ((_, batches),) = _states(definition, "Map")
    reader = batches["ItemReader"]
    assert reader["Resource"].endswith(":states:::s3:getObject")
    assert reader["ReaderConfig"] == {"InputType": "JSON", "ItemsPointer": "/batches"}
    assert reader["Parameters"].keys() == {"Bucket", "Key.$"}
    assert reader["Parameters"]["Key.$"] == "$.plan_key"
    assert batches["ResultPath"] is None
    assert definition["States"]["Commit the run"]["ResultPath"] is None
    assert definition["States"]["Publish the profiling log"]["ResultPath"] is None


def test_what_the_steps_are_told(definition: dict[str, Any]) -> None:
    states = definition["States"]
    planned = states["Plan the run"]["Parameters"]["Payload"]
    assert planned == {"execution.$": "$$.Execution.Id", "started_at.$": "$$.Execution.StartTime"}
    for name in ("Commit the run", "Publish the profiling log"):
        assert states[name]["Parameters"]["Payload"] == {"plan_key.$": "$.plan_key"}
    ((_, batches),) = _states(definition, "Map")
    assert batches["ItemProcessor"]["States"]["Convert one batch"]["Parameters"]["Payload.$"] == "$"


def test_the_plan_decides_where_it_goes(definition: dict[str, Any]) -> None:
    choice = definition["States"]["Is there anything to convert?"]
    assert {rule["StringEquals"]: rule["Next"] for rule in choice["Choices"]} == {
        "planned": "Convert the batches",
        "busy": "Another run is converting",
        "nothing_to_do": "Nothing to convert",
    }
    assert definition["States"][choice["Default"]]["Type"] == "Fail"
    assert targets(definition["States"]["Plan the run"])[-1] == "Is there anything to convert?"


def test_the_order_of_a_run(definition: dict[str, Any]) -> None:
    path, name = [], "Convert the batches"
    while name:
        path.append(name)
        name = definition["States"][name].get("Next", "")
    assert path == ["Convert the batches", "Commit the run", "Publish the profiling log", "Run converted"]


def test_names_and_comments_read_well_in_the_console(definition: dict[str, Any]) -> None:
    for graph in graphs(definition):
        for name, state in graph["States"].items():
            assert re.fullmatch(r"[A-Z][a-z ]+\??", name), name
            assert len(name) <= 80
            if state["Type"] in {"Task", "Map", "Choice"}:
                assert state["Comment"], name
    assert definition["Comment"]


def test_a_failure_says_what_failed(definition: dict[str, Any]) -> None:
    for graph in graphs(definition):
        for state in graph["States"].values():
            for rule in state.get("Catch", ()):
                failed = graph["States"][rule["Next"]]
                assert rule["ResultPath"] == "$.failure"
                assert (failed["ErrorPath"], failed["CausePath"]) == ("$.failure.Error", "$.failure.Cause")


def test_the_machine_ends_is_traced_and_logs_no_data(stage: Synthesis, definition: dict[str, Any]) -> None:
    properties = stage.event_files.properties(MACHINE, "Convert")
    assert definition["TimeoutSeconds"] == stage.stage.conversion_timeout_minutes * 60
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert properties.get("StateMachineType", "STANDARD") == "STANDARD"


def test_grants_are_there_before_the_machine(stage: Synthesis) -> None:
    machine = stage.event_files.named(MACHINE, "Convert")
    assert any(name.startswith("ConvertRoleDefaultPolicy") for name in machine["DependsOn"])


def _states(definition: dict[str, Any], kind: str) -> Iterator[tuple[str, State]]:
    for graph in graphs(definition):
        yield from ((name, state) for name, state in graph["States"].items() if state["Type"] == kind)


def _assert_patient(state: State, name: str) -> None:
    for rule in state["Retry"]:
        assert rule["JitterStrategy"] == "FULL", name
        assert rule["MaxAttempts"] >= 1, name
        assert rule["BackoffRate"] > 1, name
        assert rule["MaxDelaySeconds"] <= 60, name
