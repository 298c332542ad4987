"""Every state machine: its graph, retries, logs and texts."""

import re

import pytest

from sluice.pipelines import PIPELINES
from tests.support.machine_graph import MACHINE, Machine, State, graphs, is_end, loops, machine, reached, targets
from tests.support.synthesis import Synthesis

MACHINES = {kind.machine_output.removesuffix("Machine"): each.name for each in PIPELINES for kind in each.run_kinds}
WITHOUT_MAP = {"Infer", "Retrain"}
TRANSIENT = {"Lambda.ServiceException", "Lambda.AWSLambdaException", "Lambda.SdkClientException"} | {
    "Lambda.TooManyRequestsException"
}


@pytest.fixture(params=MACHINES)
def each(request: pytest.FixtureRequest, stage: Synthesis) -> Machine:
    return machine_of(stage, request.param)


@pytest.fixture(params=[name for name in MACHINES if name not in WITHOUT_MAP])
def mapping(request: pytest.FixtureRequest, stage: Synthesis) -> Machine:
    return machine_of(stage, request.param)


def machine_of(stage: Synthesis, name: str) -> Machine:
    return machine(stage.by_part[MACHINES[name].title().replace("_", "")], name)


def test_these_are_all_machines(stage: Synthesis) -> None:
    assert len(stage.template.of_type(MACHINE)) == len(MACHINES)


def test_every_target_exists(each: Machine) -> None:
    for graph in graphs(each.definition):
        assert graph["StartAt"] in graph["States"]
        for name, state in graph["States"].items():
            assert set(targets(state)) <= graph["States"].keys(), name


def test_every_state_is_reachable(each: Machine) -> None:
    for graph in graphs(each.definition):
        assert reached(graph, graph["StartAt"]) == graph["States"].keys()


def test_every_path_ends(each: Machine) -> None:
    for graph in graphs(each.definition):
        for name, state in graph["States"].items():
            assert is_end(state) != bool(targets(state)) or state.get("Catch"), f"{name} neither ends nor goes on"
            assert any(is_end(graph["States"][further]) for further in reached(graph, name)), name


def test_a_loop_is_left_by_what_nobody_understands(each: Machine) -> None:
    for graph in graphs(each.definition):
        for loop in loops(graph):
            questions = [graph["States"][name] for name in loop if graph["States"][name]["Type"] == "Choice"]
            assert questions, f"nothing ends {sorted(loop)}"
            assert all(question["Default"] not in loop for question in questions), sorted(loop)


def test_every_task_is_bounded_retried_with_jitter_and_caught(each: Machine) -> None:
    for name, task in each.of_type("Task"):
        assert task["TimeoutSeconds"] > 0, name
        assert {error for rule in task["Retry"] for error in rule["ErrorEquals"]} >= TRANSIENT, name
        _assert_patient(task, name)
        assert [rule["ErrorEquals"] for rule in task["Catch"]] == [["States.ALL"]], name


def test_a_step_that_fails_or_takes_too_long_is_tried_again(each: Machine) -> None:
    """Every step may be repeated when its function died or raised; trouble of Lambda itself passes."""
    for name, task in each.of_type("Task"):
        attempts = {error: rule["MaxAttempts"] for rule in task["Retry"] for error in rule["ErrorEquals"]}
        assert (attempts["States.TaskFailed"], attempts["States.Timeout"]) == (2, 2), name
        assert {attempts[error] for error in TRANSIENT} == {6}, name


def test_a_task_waits_longer_than_its_function_may_take(each: Machine) -> None:
    functions = each.template.of_type("AWS::Lambda::Function")
    for name, task in each.of_type("Task"):
        (function,) = [found for key, found in functions.items() if f"<{key}.Arn>" == task["Resource"]]
        assert function["Properties"]["Timeout"] < task["TimeoutSeconds"], name


def test_the_map_runs_child_executions_over_a_plan_file_and_keeps_no_answers(mapping: Machine) -> None:
    assert mapping.map["ItemProcessor"]["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert mapping.map["MaxConcurrency"] >= 1
    reader = mapping.map["ItemReader"]
    assert reader["Resource"].endswith(":states:::s3:getObject")
    assert reader["ReaderConfig"]["InputType"] == "JSON"
    assert reader["Parameters"].keys() == {"Bucket", "Key.$"}
    assert "LakeBucket" in reader["Parameters"]["Bucket"]
    assert mapping.map["ResultPath"] is None
    _assert_patient(mapping.map, "the map")
    assert {error for rule in mapping.map["Retry"] for error in rule["ErrorEquals"]} == {"States.ItemReaderFailed"}
    assert [rule["ErrorEquals"] for rule in mapping.map["Catch"]] == [["States.ALL"]]


def test_a_child_execution_calls_one_function_with_its_item(mapping: Machine) -> None:
    ((_, task),) = [(name, state) for name, state in mapping.in_map.items() if state["Type"] == "Task"]
    assert "Parameters" not in task, "the item is the payload"
    assert task["End"] is True
    (rule,) = task["Catch"]
    assert mapping.in_map.keys() - {rule["Next"]} == {mapping.map["ItemProcessor"]["StartAt"]}


def test_names_and_comments_read_well_in_the_console(each: Machine) -> None:
    for graph in graphs(each.definition):
        for name, state in graph["States"].items():
            assert re.fullmatch(r"[A-Z][a-z ]+\??", name), name
            assert len(name) <= 80
            if state["Type"] in {"Task", "Map", "Choice", "Wait"}:
                assert state["Comment"], name
    assert each.definition["Comment"]


def test_a_failure_says_what_failed(each: Machine) -> None:
    for graph in graphs(each.definition):
        for name, state in graph["States"].items():
            for rule in state.get("Catch", ()):
                assert rule["ResultPath"] in {"$.failure", "$.not_done"}, f"{name} would lose its input or the error"
                failed = graph["States"][rule["Next"]]
                if failed["Type"] == "Fail":
                    assert (failed["ErrorPath"], failed["CausePath"]) == ("$.failure.Error", "$.failure.Cause")


def test_the_machine_is_traced_and_logs_everything_but_data(each: Machine) -> None:
    properties = each.resource["Properties"]
    assert properties["TracingConfiguration"] == {"Enabled": True}
    assert properties["LoggingConfiguration"]["Level"] == "ALL"
    assert properties["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert properties.get("StateMachineType", "STANDARD") == "STANDARD"


def test_grants_are_there_before_the_machine(each: Machine) -> None:
    assert any(re.match(f"{each.name}(Machine)?RoleDefaultPolicy", name) for name in each.resource["DependsOn"])


def _assert_patient(state: State, name: str) -> None:
    for rule in state["Retry"]:
        assert rule["JitterStrategy"] == "FULL", name
        assert rule["MaxAttempts"] >= 1, name
        assert rule["BackoffRate"] > 1, name
        assert rule["MaxDelaySeconds"] <= 60, name
