"""From events of the default bus to batches for a function: a rule, a queue, its dead letters."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.stage_stack import PLAIN_HTTP, acknowledge
from infra.settings import Batching
from infra.stage import Stage


class SecureQueue(sqs.Queue):
    """An encrypted queue, over TLS only.

    That of a function hides a message six times as long as the function may take, as AWS advises, and hands it to the
    dead letter queue after `Stage.max_receives` deliveries.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        function_timeout: Duration | None = None,
        dead_letters: sqs.IQueue | None = None,
    ) -> None:
        """Build the queue."""
        hidden = Duration.seconds(6 * function_timeout.to_seconds()) if function_timeout else None
        kept = sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=stage.max_receives) if dead_letters else None
        super().__init__(
            scope,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not stage.local,
            retention_period=Duration.days(stage.queue_retention_days),
            visibility_timeout=hidden,
            dead_letter_queue=kept,
        )
        if stage.local:
            acknowledge(self, "AwsSolutions-SQS4", PLAIN_HTTP)


class DeadLetters(SecureQueue):
    """A queue of messages that need a person."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        """Build the queue."""
        super().__init__(scope, construct_id, stage=stage)
        for finding in ("AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy"):
            acknowledge(self, finding, "This queue is the end of the line.")


class QueuedEvents(Construct):
    """Events that match a pattern reach a function in batches; those it cannot process are kept.

    The function answers with the messages that failed. They come again `Stage.max_receives` times in all and then wait
    in `dead_letters`, from where they can be sent back to `queue` as they are.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        pattern: events.EventPattern,
        description: str,
        function: PythonFunction,
        batching: Batching,
    ) -> None:
        """Build queue, rule and event source."""
        super().__init__(scope, construct_id)
        self.dead_letters = DeadLetters(self, "DeadLetters", stage=stage)
        self.queue = SecureQueue(
            self, "Queue", stage=stage, function_timeout=function.timeout, dead_letters=self.dead_letters
        )
        events.Rule(
            self,
            "Rule",
            description=description,
            event_pattern=pattern,
            targets=[targets.SqsQueue(self.queue, dead_letter_queue=self.dead_letters)],
        )
        kept = "A queue as a source takes no destination: what fails goes to its dead letter queue."
        acknowledge(function, "Serverless-LambdaEventSourceMappingDestination", kept)
        function.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=batching.messages,
                max_batching_window=Duration.seconds(batching.window_seconds),
                max_concurrency=batching.max_concurrency,
                report_batch_item_failures=True,
            )
        )


def object_events(bucket: s3.IBucket, *kinds: str) -> events.EventPattern:
    """Return the pattern of events of a bucket's objects; `kinds` are detail types such as Object Created."""
    return events.EventPattern(
        source=["aws.s3"], detail_type=list(kinds), detail={"bucket": {"name": [bucket.bucket_name]}}
    )
