import re

import pytest

from infra.event_files.settings import EventFiles
from tests.support.synthesis import Synthesis, text

QUEUE, RULE = "AWS::SQS::Queue", "AWS::Events::Rule"


@pytest.mark.parametrize(("what", "function"), [("Files", "validate_files"), ("Media", "index_media")])
def test_announcements_wait_in_a_queue_with_dead_letters_of_its_own(stage: Synthesis, what: str, function: str) -> None:
    queue = stage.event_files.properties(QUEUE, f"{what}Queue")
    assert queue["RedrivePolicy"]["maxReceiveCount"] == stage.stage.max_receives
    assert text(queue["RedrivePolicy"]["deadLetterTargetArn"]).startswith(f"<{what}DeadLetters")
    assert queue["VisibilityTimeout"] >= 6 * getattr(stage.stage.settings(EventFiles), function).timeout_seconds


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
    batching = getattr(stage.stage.settings(EventFiles), what.lower())
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


def test_what_is_processed_expires_from_the_ledger(stage: Synthesis) -> None:
    ledger = stage.event_files.properties("AWS::DynamoDB::Table", "Ledger")
    assert ledger["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert "TimeToLiveSpecification" not in stage.event_files.properties("AWS::DynamoDB::Table", "MediaIndex")


def test_outputs_lead_the_command_line_to_everything(stage: Synthesis) -> None:
    outputs = stage.event_files.outputs()
    assert outputs.keys() == {"LedgerTable", "MediaTable", "QueueUrl", "DeadLetterQueueUrl", "ConvertMachine"}
    assert outputs["LedgerTable"].startswith("<Ledger")
    assert outputs["ConvertMachine"].endswith(f":stateMachine:{stage.stage.resource_prefix}-convert")
