"""Every part: its queues, logs, schedules and names."""

import json
from collections.abc import Callable

import pytest

from infra.event_files.settings import EventFiles
from infra.platform.observability.settings import Observability
from infra.tables.settings import Tables
from infra.vendor_exports.settings import VendorExports
from sluice.pipelines import RUN_KINDS
from tests.support.stages import FEATURE, STAGES
from tests.support.synthesis import ROOT, Synthesis, Template, text

QUEUE, SCHEDULE, ALARM = "AWS::SQS::Queue", "AWS::Scheduler::Schedule", "AWS::CloudWatch::Alarm"
ASYNC = "AWS::Lambda::EventInvokeConfig"
WORKING = ["event_files", "vendor_exports", "tables", "observability"]
QUEUES = {
    "event_files": {"NewFilesQueue", "NewFilesDeadLetters", "MediaQueue", "MediaDeadLetters", "MissedCalls"},
    "vendor_exports": {"MissedCalls"},
    "tables": {"MissedCalls"},
    "observability": {"MissedCalls", "RunHistoryEndsQueue", "RunHistoryEndsDeadLetters"},
}
PHYSICAL_NAMES = ("BucketName", "TableName", "QueueName", "FunctionName", "RoleName", "Name", "StateMachineName")


@pytest.fixture(params=WORKING)
def part(request: pytest.FixtureRequest) -> str:
    """A part that runs code."""
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


def test_schedules(stage: Synthesis) -> None:
    settings, machines = stage.stage.settings, f"stateMachine:{stage.stage.resource_prefix}"
    files, exports, shared = settings(EventFiles), settings(VendorExports), settings(Observability)
    planned = [
        (stage.event_files, "Conversions", files.conversion_schedule, f"{machines}-convert"),
        (stage.event_files, "Sweeps", files.sweep_schedule, "SweepOrphans"),
        (stage.event_files, "Probes", files.probe_schedule, "ProbeLag"),
        (stage.vendor_exports, "EachHour", exports.schedule, f"{machines}-export"),
        (stage.tables, "Compactions", settings(Tables).schedule, f"{machines}-compact"),
        (stage.observability, "DigestsEachDay", shared.daily_digest, "SendDigest"),
        (stage.observability, "DigestsEachWeek", shared.weekly_digest, "SendDigest"),
    ]
    timetable = [each for each in planned if each[2]]
    own = (stage.event_files, stage.vendor_exports, stage.tables, stage.observability)
    assert sum(len(template.of_type(SCHEDULE)) for template in own) == len(timetable)
    for template, start, expression, target in timetable:
        schedule = template.properties(SCHEDULE, start)
        assert schedule["ScheduleExpression"] == expression
        assert schedule["ScheduleExpressionTimezone"] == "UTC"
        assert target in text(schedule["Target"]["Arn"])
        assert schedule["Target"]["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 10}
        if "stateMachine" in target:
            assert json.loads(schedule["Target"]["Input"]) == {"started_by": "schedule"}
        assert text(schedule["Target"]["DeadLetterConfig"]["Arn"]).startswith("<MissedCalls")


def test_a_function_that_a_schedule_calls_keeps_the_calls_it_fails(prd: Synthesis) -> None:
    called = []
    kept = {
        text(each["Properties"]["FunctionName"]): each["Properties"] for each in prd.template.of_type(ASYNC).values()
    }
    targets = [text(each["Properties"]["Target"]["Arn"]) for each in prd.template.of_type(SCHEDULE).values()]
    for function in (target.replace(".Arn", "") for target in targets if target.endswith(".Arn>")):
        assert kept[function]["MaximumRetryAttempts"] == 2
        letters = kept[function]["DestinationConfig"]["OnFailure"]["Destination"]
        assert "MissedCalls" in text(letters)
        called.append(function)
    assert len(called) == 4, "the probe, the sweep and two digests"


@pytest.mark.parametrize("name", ["local", FEATURE])
def test_a_passing_stage_runs_by_hand_and_wakes_nobody(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    template = synthesis_of(name).template
    assert not template.of_type(SCHEDULE)
    assert {alarm.get("Condition") for alarm in template.of_type(ALARM).values()} <= {"OnAws"}


NAMES_NOT_OF_THEIR_OWN = {"AWS::Lambda::EventSourceMapping", "Custom::IcebergTable"}  # the latter's is in its database


@pytest.mark.parametrize("name", [*STAGES, FEATURE])
def test_stages_share_no_physical_name(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    names = [
        properties[member]
        for _, resource in synthesis_of(name).resources()
        for properties in [resource.get("Properties", {})]
        for member in (*PHYSICAL_NAMES, "LogGroupName")
        if isinstance(properties.get(member), str) and resource["Type"] not in NAMES_NOT_OF_THEIR_OWN
    ]
    known = 2 + 2 * len(RUN_KINDS)  # workgroup, the service's API, and the machines with their logs
    saved = len(synthesis_of(name).observability.of_type("AWS::Logs::QueryDefinition"))
    assert len(names) == known + saved
    assert all(f"sluice-{name}" in each.lower() for each in names)


def test_no_template_holds_a_secret_or_this_machines_path(stage: Synthesis) -> None:
    body = json.dumps(stage.template.body)
    assert str(ROOT) not in body
    assert "AKIA" not in body
    assert "{{resolve:" not in body, "CloudFormation would put the secret's value where anybody can read it"
