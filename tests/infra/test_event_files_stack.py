from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable

import pytest

from infra.stage import BUILT_IN
from tests.infra.conftest import FEATURE
from tests.infra.synthesis import ROOT, Resource, Synthesis, text

FUNCTION, QUEUE, RULE, SCHEDULE = (
    "AWS::Lambda::Function",
    "AWS::SQS::Queue",
    "AWS::Events::Rule",
    "AWS::Scheduler::Schedule",
)
FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))
# What Powertools reads by itself.
HOUSE_VARIABLES = {"LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE"}


def test_every_folder_of_functions_is_one_function(stage: Synthesis) -> None:
    assert sorted(_by_folder(stage)) == FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_is_told_exactly_what_its_handler_reads(stage: Synthesis, folder: str) -> None:
    variables = _by_folder(stage)[folder]["Properties"]["Environment"]["Variables"]
    assert variables.keys() - HOUSE_VARIABLES == _settings_read_by(folder)
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == f"Sluice/{stage.stage.name}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_has_the_size_target_traces_and_log_of_its_stage(stage: Synthesis, folder: str) -> None:
    properties = _by_folder(stage)[folder]["Properties"]
    size = getattr(stage.stage, folder)
    assert properties["MemorySize"] == size.memory_mb
    assert properties["Timeout"] == size.timeout_seconds
    assert properties["Handler"] == "handler.handler"
    assert properties["Runtime"] == "python3.14"
    assert properties["Architectures"] == ["arm64"]
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert properties["Description"]
    assert properties["LoggingConfig"]["LogFormat"] == "JSON"
    log = stage.event_files.body["Resources"][properties["LoggingConfig"]["LogGroup"]["Ref"]]
    assert log["Properties"]["RetentionInDays"] == stage.stage.log_retention_days


def test_no_two_functions_share_a_role_or_a_log(stage: Synthesis) -> None:
    functions = stage.event_files.of_type(FUNCTION).values()
    roles = {text(function["Properties"]["Role"]) for function in functions}
    logs = {text(function["Properties"]["LoggingConfig"]["LogGroup"]) for function in functions}
    assert len(roles) == len(logs) == len(FOLDERS)


def test_every_log_group_ends_some_day(stage: Synthesis) -> None:
    groups = stage.event_files.of_type("AWS::Logs::LogGroup").values()
    assert {group["Properties"]["RetentionInDays"] for group in groups} == {stage.stage.log_retention_days}


def test_only_what_writes_parquet_carries_arrow(stage: Synthesis) -> None:
    carrying = {
        folder
        for folder, function in _by_folder(stage).items()
        if any("Arrow" in layer["Ref"] for layer in function["Properties"]["Layers"])
    }
    assert carrying == {"convert_batch", "profile_run"}
    for function in _by_folder(stage).values():
        layers = text({"Fn::Join": ["", function["Properties"]["Layers"]]})
        assert "LayersSluice" in layers
        assert "LayersRuntime" in layers


@pytest.mark.parametrize(("what", "function"), [("Files", "validate_files"), ("Media", "index_media")])
def test_announcements_wait_in_a_queue_with_dead_letters_of_its_own(stage: Synthesis, what: str, function: str) -> None:
    queue = stage.event_files.properties(QUEUE, f"{what}Queue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == stage.stage.max_receives
    assert text(queue["RedrivePolicy"]["deadLetterTargetArn"]).startswith(f"<{what}DeadLetters")
    assert queue["VisibilityTimeout"] >= 6 * getattr(stage.stage, function).timeout_seconds


def test_every_queue_is_encrypted_and_keeps_messages_as_long_as_can_be(stage: Synthesis) -> None:
    assert len(stage.event_files.of_type(QUEUE)) == 5
    for queue in stage.event_files.of_type(QUEUE).values():
        assert queue["Properties"]["SqsManagedSseEnabled"] is True
        assert queue["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


def test_every_queue_refuses_plain_http(stage: Synthesis) -> None:
    policies = stage.event_files.of_type("AWS::SQS::QueuePolicy").values()
    guarded = {
        text(queue)
        for policy in policies
        for queue in policy["Properties"]["Queues"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny"
        and statement["Action"] == "sqs:*"
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert len(guarded) == len(stage.event_files.of_type(QUEUE))


def test_only_the_rules_of_this_stack_may_send_to_the_queues(stage: Synthesis) -> None:
    for policy in stage.event_files.of_type("AWS::SQS::QueuePolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                assert re.fullmatch(
                    r"<(FilesRule|MediaRule)\w{8}\.Arn>",
                    text(statement["Condition"]["ArnEquals"]["aws:SourceArn"]),
                )


@pytest.mark.parametrize(("what", "function"), [("Files", "ValidateFiles"), ("Media", "IndexMedia")])
def test_functions_take_batches_and_answer_with_what_failed(stage: Synthesis, what: str, function: str) -> None:
    mappings = [each["Properties"] for each in stage.event_files.of_type("AWS::Lambda::EventSourceMapping").values()]
    assert len(mappings) == 2
    (source,) = [each for each in mappings if text(each["EventSourceArn"]).startswith(f"<{what}Queue")]
    batching = getattr(stage.stage, what.lower())
    assert function in text(source["FunctionName"])
    assert source["BatchSize"] == batching.messages
    assert source["MaximumBatchingWindowInSeconds"] == batching.window_seconds
    assert source["ScalingConfig"] == {"MaximumConcurrency": batching.max_concurrency}
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize(
    ("what", "bucket", "kinds"),
    [("Files", "Source", ["Object Created"]), ("Media", "Media", ["Object Created", "Object Deleted"])],
)
def test_what_happens_in_a_bucket_goes_to_its_queue(stage: Synthesis, what: str, bucket: str, kinds: list[str]) -> None:
    rule = stage.event_files.properties(RULE, f"{what}Rule")
    assert rule["EventPattern"]["source"] == ["aws.s3"]
    assert rule["EventPattern"]["detail-type"] == kinds
    (name,) = rule["EventPattern"]["detail"]["bucket"]["name"]
    named = getattr(stage.stage, f"{bucket.lower()}_bucket")
    assert text(name) == named if named else f"ExportsOutputRef{bucket}" in text(name)
    (target,) = rule["Targets"]
    assert text(target["Arn"]).startswith(f"<{what}Queue")
    assert text(target["DeadLetterConfig"]["Arn"]).startswith(f"<{what}DeadLetters")


def test_the_timetable(stage: Synthesis) -> None:
    for start, expression, target in (
        ("Conversions", stage.stage.conversion_schedule, f"stateMachine:{stage.stage.resource_prefix}-convert"),
        ("Sweeps", stage.stage.sweep_schedule, "SweepOrphans"),
    ):
        schedule = stage.event_files.properties(SCHEDULE, start)
        assert schedule["ScheduleExpression"] == expression
        assert schedule["ScheduleExpressionTimezone"] == "UTC"
        assert target in text(schedule["Target"]["Arn"])
        assert text(schedule["Target"]["DeadLetterConfig"]["Arn"]).startswith("<MissedCalls")


def test_a_feature_runs_by_hand_only_and_wakes_nobody(synthesis_of: Callable[[str], Synthesis]) -> None:
    feature = synthesis_of(FEATURE)
    assert not feature.event_files.of_type(SCHEDULE)
    assert not feature.event_files.of_type("AWS::CloudWatch::Alarm")


def test_alarms_on_dead_letters_and_on_a_failed_conversion(stage: Synthesis) -> None:
    waiting = {"FilesWaiting": "FilesDeadLetters", "MediaWaiting": "MediaDeadLetters", "CallsWaiting": "MissedCalls"}
    alarms = [stage.event_files.properties("AWS::CloudWatch::Alarm", name) for name in waiting]
    for alarm, queue in zip(alarms, waiting.values(), strict=True):
        assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        assert text(alarm["Dimensions"][0]["Value"]).startswith(f"<{queue}")
    failed = stage.event_files.properties("AWS::CloudWatch::Alarm", "ConversionFailed")
    watched = {metric["MetricStat"]["Metric"]["MetricName"] for metric in failed["Metrics"] if "MetricStat" in metric}
    assert watched == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
    for alarm in (*alarms, failed):
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (0, "GreaterThanThreshold")
        assert alarm["TreatMissingData"] == "notBreaching"
        assert len(alarm["AlarmDescription"]) > 30


@pytest.mark.parametrize("name", [*BUILT_IN, FEATURE])
def test_stages_share_no_physical_name(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    synthesis = synthesis_of(name)
    names = [
        properties[member]
        for _, resource in synthesis.resources()
        for properties in [resource.get("Properties", {})]
        for member in ("BucketName", "TableName", "QueueName", "FunctionName", "RoleName", "Name", "StateMachineName")
        if isinstance(properties.get(member), str) and resource["Type"] not in {"AWS::Lambda::EventSourceMapping"}
    ]
    names += [
        group["Properties"]["LogGroupName"]
        for group in synthesis.event_files.of_type("AWS::Logs::LogGroup").values()
        if "LogGroupName" in group["Properties"]
    ]
    assert len(names) == 3, "workgroup, machine, and the machine's log"
    assert all(f"sluice-{name}" in each for each in names)


def test_everything_says_what_it_belongs_to(stage: Synthesis) -> None:
    wanted = [{"Key": "project", "Value": "sluice"}, {"Key": "stage", "Value": stage.stage.name}]
    for function in stage.event_files.of_type(FUNCTION).values():
        assert function["Properties"]["Tags"] == wanted


def test_no_template_holds_a_secret_or_this_machines_path(stage: Synthesis) -> None:
    for template in (stage.lake, stage.event_files):
        body = json.dumps(template.body)
        assert str(ROOT) not in body
        assert "AKIA" not in body


def _by_folder(stage: Synthesis) -> dict[str, Resource]:
    functions = stage.event_files.of_type(FUNCTION).values()
    return {each["Properties"]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]: each for each in functions}


def _settings_read_by(folder: str) -> set[str]:
    """The members of the handler's Settings, as environment variables."""
    tree = ast.parse((ROOT / "functions" / folder / "handler.py").read_text())
    (settings,) = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Settings"]
    members = [node.target for node in settings.body if isinstance(node, ast.AnnAssign)]
    return {member.id.upper() for member in members if isinstance(member, ast.Name)}
