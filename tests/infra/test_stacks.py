"""What is true of every stack: its queues, logs, schedules, alarms and names."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from infra.stage import BUILT_IN
from tests.infra.conftest import FEATURE
from tests.infra.synthesis import ROOT, Synthesis, Template, text

QUEUE, SCHEDULE, ALARM = "AWS::SQS::Queue", "AWS::Scheduler::Schedule", "AWS::CloudWatch::Alarm"
WORKING = ["event_files", "exports"]
QUEUES = {
    "event_files": {"FilesQueue", "FilesDeadLetters", "MediaQueue", "MediaDeadLetters", "MissedCalls"},
    "exports": {"MissedCalls"},
}
# Alarms by the dead letters or the machine they watch.
LETTERS = {
    "event_files": {"FilesWaiting": "FilesDeadLetters", "MediaWaiting": "MediaDeadLetters"}
    | {"CallsWaiting": "MissedCalls"},
    "exports": {"CallsWaiting": "MissedCalls"},
}
FAILURES = {
    "event_files": {"ConversionFailed": "ConvertMachine"},
    "exports": {"ExportFailed": "ExportMachine", "HistoryFailed": "HistoryMachine"},
}
PHYSICAL_NAMES = ("BucketName", "TableName", "QueueName", "FunctionName", "RoleName", "Name", "StateMachineName")


@pytest.fixture(params=WORKING)
def part(request: pytest.FixtureRequest) -> str:
    """A stack that runs code."""
    return str(request.param)


@pytest.fixture
def template(stage: Synthesis, part: str) -> Template:
    found: Template = getattr(stage, part)
    return found


def test_every_log_group_ends_some_day(stage: Synthesis, template: Template) -> None:
    groups = template.of_type("AWS::Logs::LogGroup").values()
    assert {group["Properties"]["RetentionInDays"] for group in groups} == {stage.stage.log_retention_days}


def test_every_queue_is_encrypted_and_keeps_messages_as_long_as_can_be(part: str, template: Template) -> None:
    assert {logical_id[:-8] for logical_id in template.of_type(QUEUE)} == QUEUES[part]
    for queue in template.of_type(QUEUE).values():
        assert queue["Properties"]["SqsManagedSseEnabled"] is True
        assert queue["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


def test_every_queue_refuses_plain_http(template: Template) -> None:
    policies = template.of_type("AWS::SQS::QueuePolicy").values()
    guarded = {
        text(queue)
        for policy in policies
        for queue in policy["Properties"]["Queues"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Action"] == "sqs:*"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert len(guarded) == len(template.of_type(QUEUE))


def test_the_timetable(stage: Synthesis) -> None:
    settings, machines = stage.stage, f"stateMachine:{stage.stage.resource_prefix}"
    planned = [
        (stage.event_files, "Conversions", settings.conversion_schedule, f"{machines}-convert"),
        (stage.event_files, "Sweeps", settings.sweep_schedule, "SweepOrphans"),
        (stage.exports, "Exports", settings.exports.schedule, f"{machines}-export"),
    ]
    timetable = [each for each in planned if each[2]]
    assert sum(len(template.of_type(SCHEDULE)) for template in stage.templates) == len(timetable)
    for template, start, expression, target in timetable:
        schedule = template.properties(SCHEDULE, start)
        assert schedule["ScheduleExpression"] == expression
        assert schedule["ScheduleExpressionTimezone"] == "UTC"
        assert target in text(schedule["Target"]["Arn"])
        assert text(schedule["Target"]["DeadLetterConfig"]["Arn"]).startswith("<MissedCalls")


@pytest.mark.parametrize("name", ["local", FEATURE])
def test_a_passing_stage_runs_by_hand_only_and_wakes_nobody(
    synthesis_of: Callable[[str], Synthesis], name: str
) -> None:
    for template in synthesis_of(name).templates:
        assert not template.of_type(SCHEDULE)
        assert not template.of_type(ALARM)


def test_alarms_on_dead_letters_and_on_failed_machines(part: str, template: Template) -> None:
    alarms = {logical_id[:-8]: alarm["Properties"] for logical_id, alarm in template.of_type(ALARM).items()}
    assert alarms.keys() == LETTERS[part].keys() | FAILURES[part].keys()
    for name, queue in LETTERS[part].items():
        assert alarms[name]["MetricName"] == "ApproximateNumberOfMessagesVisible"
        assert text(alarms[name]["Dimensions"][0]["Value"]).startswith(f"<{queue}")
    for name, machine in FAILURES[part].items():
        metrics = [metric["MetricStat"]["Metric"] for metric in alarms[name]["Metrics"] if "MetricStat" in metric]
        assert {metric["MetricName"] for metric in metrics} == {
            "ExecutionsFailed",
            "ExecutionsTimedOut",
            "ExecutionsAborted",
        }
        assert all(text(metric["Dimensions"][0]["Value"]).startswith(f"<{machine}") for metric in metrics)
    for alarm in alarms.values():
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
        assert alarm["TreatMissingData"] == "notBreaching"
        assert len(alarm["AlarmDescription"]) > 30


@pytest.mark.parametrize("name", [*BUILT_IN, FEATURE])
def test_stages_share_no_physical_name(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    names = [
        properties[member]
        for _, resource in synthesis_of(name).resources()
        for properties in [resource.get("Properties", {})]
        for member in (*PHYSICAL_NAMES, "LogGroupName")
        if isinstance(properties.get(member), str) and resource["Type"] not in {"AWS::Lambda::EventSourceMapping"}
    ]
    assert len(names) == 1 + 2 * 3 + 1, "workgroup, three machines with their logs, and the vendor's secret"
    assert all(f"sluice-{name}" in each for each in names)


def test_no_template_holds_a_secret_or_this_machines_path(stage: Synthesis) -> None:
    for template in stage.templates:
        body = json.dumps(template.body)
        assert str(ROOT) not in body
        assert "AKIA" not in body
        assert "{{resolve:" not in body, "CloudFormation would put the secret's value where anybody can read it"
