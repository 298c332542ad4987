"""The run history: whose ends are recorded, and what its function may do."""

from __future__ import annotations

import json
import re

import pytest

from sluice.runs.execution_events import visits_of
from sluice.runs.measuring import COPY, JOB, LIST, PROOF, TRIGGER
from tests.platform.infra.test_permissions import EVERY_FUNCTION
from tests.platform.unit.runs.recorded import recorded
from tests.support.machine_graph import Machine, machine
from tests.support.synthesis import Synthesis, listed, text

RULE, MAPPING, SCHEDULE = "AWS::Events::Rule", "AWS::Lambda::EventSourceMapping", "AWS::Scheduler::Schedule"
MACHINES = ("convert", "export", "history")
MAPS = {"convert": "ConvertTheBatches", "export": "CopyTheFiles", "history": "ObserveTheParts"}
CONSUME = ("ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "GetQueueAttributes", "GetQueueUrl")

RIGHTS = {
    *((f"sqs:{action}", "queue") for action in CONSUME),
    *(
        (f"states:{action}", f"execution:{name}:*")
        for action in ("DescribeExecution", "GetExecutionHistory", "ListMapRuns")
        for name in MACHINES
    ),
    *(("states:DescribeExecution", f"execution:{name}/{label}:*") for name, label in MAPS.items()),
    *(
        (f"states:{do}", f"mapRun:{name}/{of}:*")
        for do in ("DescribeMapRun", "ListExecutions")
        for name, of in MAPS.items()
    ),
    *(("states:ListExecutions", f"stateMachine:{name}") for name in MACHINES),
    ("s3:GetObject", "lake/runs/*/commit.json"),
    ("s3:PutObject", "lake/data/run_records/*"),
}


def test_the_rule_takes_every_end_of_the_three_machines_and_nothing_else(stage: Synthesis) -> None:
    """No beginning, no other machine, no item of a map: those have other ARNs, and patterns match whole values."""
    rule = stage.watch.properties(RULE, "RunHistoryEnds")
    pattern = rule["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert set(pattern["detail"]) == {"status", "stateMachineArn"}
    assert pattern["detail"]["status"] == ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
    machines = [text(arn).rpartition(":")[2] for arn in pattern["detail"]["stateMachineArn"]]
    assert machines == [f"{stage.stage.resource_prefix}-{name}" for name in MACHINES]


def test_what_cannot_be_recorded_is_tried_again_and_kept(stage: Synthesis) -> None:
    (target,) = stage.watch.properties(RULE, "RunHistoryEnds")["Targets"]
    assert text(target["Arn"]).startswith("<RunHistoryEndsQueue")
    assert text(target["DeadLetterConfig"]["Arn"]).startswith("<RunHistoryEndsDeadLetters")
    queue = stage.watch.properties("AWS::SQS::Queue", "RunHistoryEndsQueue")
    assert text(queue["RedrivePolicy"]["deadLetterTargetArn"]).startswith("<RunHistoryEndsDeadLetters")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == stage.stage.max_receives
    mapping = stage.watch.properties(MAPPING, "RunHistoryRecordRun")
    assert text(mapping["EventSourceArn"]).startswith("<RunHistoryEndsQueue")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == stage.stage.watch.ends.messages


def test_the_function_may_do_this_and_nothing_else(stage: Synthesis) -> None:
    rights = {
        (action, _known(stage, text(resource)))
        for statement in stage.watch.statements("RunHistoryRecordRunRole")
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }
    assert rights == RIGHTS | EVERY_FUNCTION


def test_it_is_told_the_machines_it_records(stage: Synthesis) -> None:
    told = stage.function("record_run")["Environment"]["Variables"]
    for name in MACHINES:
        assert text(told[f"{name.upper()}_MACHINE"]).endswith(f":stateMachine:{stage.stage.resource_prefix}-{name}")


@pytest.mark.parametrize("schedule", ["Conversions", "Exports"])
def test_a_schedule_says_that_it_starts_the_machine(prd: Synthesis, schedule: str) -> None:
    (found,) = [
        each["Properties"]["Target"]
        for template in prd.working
        for name, each in template.of_type(SCHEDULE).items()
        if name.startswith(schedule)
    ]
    assert json.loads(found["Input"]) == {"started_by": "schedule"}


def test_what_is_measured_are_states_of_the_export(export: Machine) -> None:
    assert {TRIGGER, LIST, PROOF, *JOB, *COPY} <= export.states.keys()


@pytest.mark.parametrize("name", ["convert_converted", "export_incomplete", "history_initialised"])
def test_the_recorded_executions_are_of_these_machines(prd: Synthesis, name: str) -> None:
    """What tests of records take for granted is what is deployed."""
    execution = recorded(name)
    kind = name.partition("_")[0]
    template = prd.event_files if kind == "convert" else prd.exports
    visited = {visit.name for visit in visits_of(execution.history(execution.arn))}
    assert visited <= machine(template, kind.title()).states.keys()


def _known(stage: Synthesis, resource: str) -> str:
    """The name of a resource in this file."""
    names = {
        r"import:Sluice-\w+-Lake:ExportsOutputFnGetAttLake\w{8}Arn\w{8}": "lake",
        r"<RunHistoryEndsQueue\w{8}\.Arn>": "queue",
        r"<RunHistoryRecordRunLog\w{8}\.Arn>": "own log",
        rf"arn:.*:states:.*:(stateMachine|execution|mapRun):{stage.stage.resource_prefix}-": r"\1:",
    }
    for pattern, name in names.items():
        if found := re.match(pattern, resource):
            return found.expand(name) + resource[found.end() :]
    return resource
