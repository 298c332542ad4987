"""A queue with a dead letter queue behind it."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.nag_suppressions import PLAIN_HTTP, acknowledge
from infra.stage import Stage


class DeadLetters(sqs.Queue):
    """Where messages wait for a person; encrypted, over TLS only."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        """Build the queue."""
        super().__init__(
            scope,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not stage.local,
            retention_period=Duration.days(stage.queue_retention_days),
        )
        for finding in ("AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy"):
            acknowledge(self, finding, "This queue is the end of the line.")
        if stage.local:
            acknowledge(self, "AwsSolutions-SQS4", PLAIN_HTTP)


class WorkQueue(sqs.Queue):
    """The queue of a function: hides a message six times as long as the function may take, as AWS advises."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        function_timeout: Duration,
        dead_letters: DeadLetters,
    ) -> None:
        """Build the queue."""
        super().__init__(
            scope,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not stage.local,
            retention_period=Duration.days(stage.queue_retention_days),
            visibility_timeout=Duration.seconds(6 * function_timeout.to_seconds()),
            dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=stage.max_receives),
        )
        if stage.local:
            acknowledge(self, "AwsSolutions-SQS4", PLAIN_HTTP)
