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


def test_announcements_wait_in_an_encrypted_queue_with_dead_letters_behind(stage: Synthesis) -> None:
    queue = stage.event_files.properties(QUEUE, "Announcements")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == stage.stage.validate_max_receives
    assert text(queue["RedrivePolicy"]["deadLetterTargetArn"]).startswith("<DeadLetters")
    assert queue["VisibilityTimeout"] >= 6 * stage.stage.validate_files.timeout_seconds
    for each in stage.event_files.of_type(QUEUE).values():
        assert each["Properties"]["SqsManagedSseEnabled"] is True
        assert each["Properties"]["MessageRetentionPeriod"] == 14 * 86_400


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
    assert len(guarded) == len(stage.event_files.of_type(QUEUE)) == 3


def test_only_the_rules_of_this_stack_may_send_to_the_queues(stage: Synthesis) -> None:
    for policy in stage.event_files.of_type("AWS::SQS::QueuePolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                assert re.fullmatch(
                    r"<(FilesCreated|MediaChanged)\w{8}\.Arn>",
                    text(statement["Condition"]["ArnEquals"]["aws:SourceArn"]),
                )


def test_files_are_validated_in_batches_with_partial_failures(stage: Synthesis) -> None:
    (source,) = stage.event_files.of_type("AWS::Lambda::EventSourceMapping").values()
    properties = source["Properties"]
    assert text(properties["EventSourceArn"]).startswith("<Announcements")
    assert "ValidateFiles" in text(properties["FunctionName"])
    assert properties["BatchSize"] == stage.stage.validate_batch_files
    assert properties["MaximumBatchingWindowInSeconds"] == stage.stage.validate_batch_window_seconds
    assert properties["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert properties["ScalingConfig"] == {"MaximumConcurrency": stage.stage.validate_max_concurrency}


def test_new_files_go_to_the_queue_and_media_to_the_index(stage: Synthesis) -> None:
    files = stage.event_files.properties(RULE, "FilesCreated")
    media = stage.event_files.properties(RULE, "MediaChanged")
    assert files["EventPattern"]["detail-type"] == ["Object Created"]
    assert media["EventPattern"]["detail-type"] == ["Object Created", "Object Deleted"]
    wired = ((files, "Announcements", "Source", "DeadLetters"), (media, "IndexMedia", "Media", "FailedCalls"))
    for rule, target, bucket, lost in wired:
        assert rule["EventPattern"]["source"] == ["aws.s3"]
        (name,) = rule["EventPattern"]["detail"]["bucket"]["name"]
        assert text(name) == (getattr(stage.stage, f"{bucket.lower()}_bucket") or text(name))
        assert bucket in text(name) or stage.stage.source_bucket
        (only,) = rule["Targets"]
        assert target in text(only["Arn"])
        assert text(only["DeadLetterConfig"]["Arn"]).startswith(f"<{lost}")


def test_media_events_that_fail_for_good_are_kept(stage: Synthesis) -> None:
    (config,) = stage.event_files.of_type("AWS::Lambda::EventInvokeConfig").values()
    assert "IndexMedia" in text(config["Properties"]["FunctionName"])
    assert text(config["Properties"]["DestinationConfig"]["OnFailure"]["Destination"]).startswith("<FailedCalls")


def test_the_timetable(stage: Synthesis) -> None:
    for start, expression, target in (
        ("Conversions", stage.stage.conversion_schedule, f"stateMachine:{stage.stage.resource_prefix}-convert"),
        ("Sweeps", stage.stage.sweep_schedule, "SweepOrphans"),
    ):
        schedule = stage.event_files.properties(SCHEDULE, start)
        assert schedule["ScheduleExpression"] == expression
        assert schedule["ScheduleExpressionTimezone"] == "UTC"
        assert target in text(schedule["Target"]["Arn"])
        assert text(schedule["Target"]["DeadLetterConfig"]["Arn"]).startswith("<FailedCalls")


def test_a_feature_runs_by_hand_only_and_wakes_nobody(synthesis_of: Callable[[str], Synthesis]) -> None:
    feature = synthesis_of(FEATURE)
    assert not feature.event_files.of_type(SCHEDULE)
    assert not feature.event_files.of_type("AWS::CloudWatch::Alarm")


def test_alarms_on_dead_letters_and_on_a_failed_conversion(stage: Synthesis) -> None:
    letters = stage.event_files.properties("AWS::CloudWatch::Alarm", "LettersWaiting")
    calls = stage.event_files.properties("AWS::CloudWatch::Alarm", "CallsWaiting")
    for alarm, queue in ((letters, "DeadLetters"), (calls, "FailedCalls")):
        assert alarm["MetricName"] == "ApproximateNumberOfMessagesVisible"
        assert text(alarm["Dimensions"][0]["Value"]).startswith(f"<{queue}")
    failed = stage.event_files.properties("AWS::CloudWatch::Alarm", "ConversionFailed")
    watched = {metric["MetricStat"]["Metric"]["MetricName"] for metric in failed["Metrics"] if "MetricStat" in metric}
    assert watched == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
    for alarm in (letters, calls, failed):
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
