import re

import pytest

from infra.event_files.settings import EventFiles
from tests.support.synthesis import Synthesis, text

QUEUE, RULE = "AWS::SQS::Queue", "AWS::Events::Rule"


@pytest.mark.parametrize(
    ("what", "bucket", "kinds", "function"),
    [
        ("Files", "Source", ["Object Created"], "validate_files"),
        ("Media", "Media", ["Object Created", "Object Deleted"], "index_media"),
    ],
)
def test_what_happens_in_a_bucket_goes_by_a_queue_to_its_function(
    stage: Synthesis, what: str, bucket: str, kinds: list[str], function: str
) -> None:
    template, settings = stage.event_files, stage.stage.settings(EventFiles)
    rule = template.properties(RULE, f"{what}Rule")
    assert rule["EventPattern"]["source"] == ["aws.s3"]
    assert rule["EventPattern"]["detail-type"] == kinds
    (name,) = rule["EventPattern"]["detail"]["bucket"]["name"]
    named = getattr(stage.stage, f"{bucket.lower()}_bucket")
    assert text(name) == named if named else f"ExportsOutputRef{bucket}" in text(name)
    (target,) = rule["Targets"]
    assert text(target["Arn"]).startswith(f"<{what}Queue")
    assert text(target["DeadLetterConfig"]["Arn"]).startswith(f"<{what}DeadLetters")
    queue = template.properties(QUEUE, f"{what}Queue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == stage.stage.max_receives
    assert text(queue["RedrivePolicy"]["deadLetterTargetArn"]).startswith(f"<{what}DeadLetters")
    assert queue["VisibilityTimeout"] >= 6 * getattr(settings, function).timeout_seconds
    mappings = template.of_type("AWS::Lambda::EventSourceMapping").values()
    (source,) = [
        each["Properties"] for each in mappings if f"<{what}Queue" in text(each["Properties"]["EventSourceArn"])
    ]
    batching = getattr(settings, what.lower())
    assert function.title().replace("_", "") in text(source["FunctionName"])
    assert source["BatchSize"] == batching.messages
    assert source["MaximumBatchingWindowInSeconds"] == batching.window_seconds
    assert source["ScalingConfig"] == {"MaximumConcurrency": batching.max_concurrency}
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_only_the_rules_of_this_stack_may_send_to_the_queues(stage: Synthesis) -> None:
    for policy in stage.event_files.of_type("AWS::SQS::QueuePolicy").values():
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            if statement["Effect"] == "Allow":
                assert statement["Principal"] == {"Service": "events.amazonaws.com"}
                assert re.fullmatch(
                    r"<(FilesRule|MediaRule)\w{8}\.Arn>", text(statement["Condition"]["ArnEquals"]["aws:SourceArn"])
                )


def test_what_is_processed_expires_from_the_ledger(stage: Synthesis) -> None:
    ledger = stage.event_files.properties("AWS::DynamoDB::Table", "Ledger")
    assert ledger["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert "TimeToLiveSpecification" not in stage.event_files.properties("AWS::DynamoDB::Table", "MediaIndex")


def test_outputs_lead_the_command_line_to_everything(stage: Synthesis) -> None:
    outputs = stage.event_files.outputs()
    assert outputs.keys() == {"LedgerTable", "MediaTable", "QueueUrl", "DeadLetterQueueUrl", "ConvertMachine"}
    assert outputs["LedgerTable"].startswith("<Ledger")
    assert outputs["ConvertMachine"].endswith(f":stateMachine:{stage.stage.resource_prefix}-convert")
