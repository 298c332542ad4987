import re

import pytest

from infra.event_files.settings import EventFiles
from tests.support.synthesis import Synthesis, text

QUEUE, RULE = "AWS::SQS::Queue", "AWS::Events::Rule"


FLOWS = [("NewFiles", "Source", "validate_files", "files"), ("Media", "Media", "index_media", "media")]
COMES, GOES = "s3:ObjectCreated:*", {"s3:ObjectRemoved:*", "s3:LifecycleExpiration:*"}


@pytest.mark.parametrize(("what", "function", "settings"), [(what, *rest) for what, _, *rest in FLOWS])
def test_a_queue_hands_what_happens_in_a_bucket_to_its_function(
    stage: Synthesis, what: str, function: str, settings: str
) -> None:
    template, batching = stage.event_files, getattr(stage.stage.settings(EventFiles), settings)
    queue = template.properties(QUEUE, f"{what}Queue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == stage.stage.max_receives
    assert text(queue["RedrivePolicy"]["deadLetterTargetArn"]).startswith(f"<{what}DeadLetters")
    assert queue["VisibilityTimeout"] >= 6 * getattr(stage.stage.settings(EventFiles), function).timeout_seconds
    mappings = template.of_type("AWS::Lambda::EventSourceMapping").values()
    (source,) = [
        each["Properties"] for each in mappings if f"<{what}Queue" in text(each["Properties"]["EventSourceArn"])
    ]
    assert function.title().replace("_", "") in text(source["FunctionName"])
    assert source["BatchSize"] == batching.messages
    assert source["MaximumBatchingWindowInSeconds"] == batching.window_seconds
    assert source["ScalingConfig"] == {"MaximumConcurrency": batching.max_concurrency}
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


@pytest.mark.parametrize(("what", "bucket"), [(what, bucket) for what, bucket, *_ in FLOWS])
def test_a_bucket_of_the_stages_own_tells_the_queue_itself(dev: Synthesis, what: str, bucket: str) -> None:
    """EventBridge would cost a dollar per million files, the CDK's own way a function with a wildcard."""
    assert not [kind for _, each in dev.resources() if "Notification" in (kind := each["Type"])]
    assert not dev.event_files.of_type(RULE)
    (owner,) = [each for key, each in dev.template.of_type("AWS::S3::Bucket").items() if f"Lake{bucket}" in key]
    told = owner["Properties"]["NotificationConfiguration"]
    assert told.keys() == {"QueueConfigurations"}
    events = {each["Event"] for each in told["QueueConfigurations"]}
    assert events == ({COMES} if bucket == "Source" else {COMES, *GOES})
    assert all(text(each["Queue"]).startswith(f"<EventFiles{what}Queue") for each in told["QueueConfigurations"])
    assert [each for each in owner["DependsOn"] if each.startswith(f"EventFiles{what}QueuePolicy")], "S3 looks first"


@pytest.mark.parametrize(("what", "bucket"), [(what, bucket) for what, bucket, *_ in FLOWS])
def test_a_bucket_of_the_producers_is_heard_on_the_bus(prd: Synthesis, what: str, bucket: str) -> None:
    rule = prd.event_files.properties(RULE, f"{what}Rule")
    assert rule["EventPattern"]["source"] == ["aws.s3"]
    assert rule["EventPattern"]["detail-type"] == ["Object Created", "Object Deleted"][: 1 + (bucket == "Media")]
    assert rule["EventPattern"]["detail"]["bucket"]["name"] == [getattr(prd.stage, bucket.lower()).existing]
    (target,) = rule["Targets"]
    assert text(target["Arn"]).startswith(f"<{what}Queue")
    assert text(target["DeadLetterConfig"]["Arn"]).startswith(f"<{what}DeadLetters")


def test_only_these_buckets_or_rules_may_send_to_the_queues(stage: Synthesis) -> None:
    allowed = [
        statement
        for policy in stage.event_files.of_type("AWS::SQS::QueuePolicy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]
    if stage.stage.source.existing:
        assert {statement["Principal"]["Service"] for statement in allowed} == {"events.amazonaws.com"}
        sources = [text(statement["Condition"]["ArnEquals"]["aws:SourceArn"]) for statement in allowed]
        assert all(re.fullmatch(r"<(NewFilesRule|MediaRule)\w{8}\.Arn>", source) for source in sources)
        return
    assert len(allowed) == len(FLOWS)
    for statement in allowed:
        assert statement["Principal"] == {"Service": "s3.amazonaws.com"}
        assert statement["Action"] == "sqs:SendMessage"
        condition = statement["Condition"]
        assert condition["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        assert text(condition["ArnLike"]["aws:SourceArn"]) == "arn:<AWS::Partition>:s3:::sluice-*"


@pytest.mark.parametrize("table", ["Ledger", "MediaIndex"])
def test_what_is_over_expires(stage: Synthesis, table: str) -> None:
    properties = stage.event_files.properties("AWS::DynamoDB::Table", table)
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_outputs_lead_the_command_line_to_everything(stage: Synthesis) -> None:
    outputs = stage.event_files.outputs()
    assert outputs.keys() >= {"LedgerTable", "MediaTable", "QueueUrl", "DeadLetterQueueUrl", "ConvertMachine"}
    assert outputs["LedgerTable"].startswith("<Ledger")
    assert outputs["ConvertMachine"].endswith(f":stateMachine:{stage.stage.resource_prefix}-convert")


def test_dirty_records_are_kept_as_long_in_their_table_as_in_their_objects(stage: Synthesis) -> None:
    tables = stage.event_files.of_type("Custom::IcebergTable").values()
    kept = {each["Properties"]["Name"]: each["Properties"].get("KeptDays") for each in tables}
    assert {name: days for name, days in kept.items() if days} == {
        "DIRTY_EVENTS": str(stage.stage.settings(EventFiles).dirty_retention_days)
    }
