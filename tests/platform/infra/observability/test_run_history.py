"""The run history: whose ends are recorded, and what becomes of those that cannot be."""

import json

import pytest

from infra.platform.observability.settings import Observability
from sluice.pipelines import RUN_KINDS
from sluice.runs.execution_events import visits_of
from tests.platform.unit.runs.recorded_executions import recorded
from tests.support.machine_graph import machine
from tests.support.synthesis import Synthesis, text

RULE, MAPPING = "AWS::Events::Rule", "AWS::Lambda::EventSourceMapping"


def test_the_rule_takes_every_end_of_the_machines_and_nothing_else(stage: Synthesis) -> None:
    """No beginning, no other machine, no item of a map: those have other ARNs, and patterns match whole values."""
    pattern = stage.observability.properties(RULE, "RunHistoryEnds")["EventPattern"]
    assert pattern["source"] == ["aws.states"]
    assert pattern["detail-type"] == ["Step Functions Execution Status Change"]
    assert set(pattern["detail"]) == {"status", "stateMachineArn"}
    assert pattern["detail"]["status"] == ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
    machines = [text(arn).rpartition(":")[2] for arn in pattern["detail"]["stateMachineArn"]]
    assert machines == [f"{stage.stage.resource_prefix}-{name}" for name in RUN_KINDS]


def test_what_cannot_be_recorded_is_tried_again_and_kept(prd: Synthesis) -> None:
    (target,) = prd.observability.properties(RULE, "RunHistoryEnds")["Targets"]
    assert text(target["Arn"]).startswith("<RunHistoryEndsQueue")
    assert text(target["DeadLetterConfig"]["Arn"]).startswith("<RunHistoryEndsDeadLetters")
    queue = prd.observability.properties("AWS::SQS::Queue", "RunHistoryEndsQueue")
    assert text(queue["RedrivePolicy"]["deadLetterTargetArn"]).startswith("<RunHistoryEndsDeadLetters")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == prd.stage.max_receives
    mapping = prd.observability.properties(MAPPING, "RunHistoryRecordRun")
    assert text(mapping["EventSourceArn"]).startswith("<RunHistoryEndsQueue")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == prd.stage.settings(Observability).ends.messages


def test_it_is_told_the_machines_it_records(stage: Synthesis) -> None:
    told = json.loads(text(stage.function("record_run")["Environment"]["Variables"]["MACHINES"]))
    assert told.keys() == RUN_KINDS.keys()
    for name, arn in told.items():
        assert arn.endswith(f":stateMachine:{stage.stage.resource_prefix}-{name}")


@pytest.mark.parametrize("name", ["convert_converted", "export_incomplete", "history_initialised"])
def test_the_recorded_executions_are_of_these_machines(prd: Synthesis, name: str) -> None:
    """The executions that tests of records read are those of the machines that are deployed."""
    execution = recorded(name)
    kind = name.partition("_")[0]
    template = prd.event_files if kind == "convert" else prd.vendor_exports
    visited = {visit.name for visit in visits_of(execution.recorder.executions.history(execution.arn))}
    assert visited <= machine(template, kind.title()).states.keys()
