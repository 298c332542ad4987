"""From events of the default bus to batches for a function: a rule, a queue, its dead letters."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_event_sources as sources
from constructs import Construct

from infra.platform.nag_suppressions import acknowledge
from infra.platform.python_function import PythonFunction
from infra.platform.sizes import Batching
from infra.platform.work_queue import DeadLetters, WorkQueue
from infra.stage import Stage


class QueuedEvents(Construct):
    """Events that match a pattern reach a function in batches, and what it cannot deal with is kept.

    The function answers with the messages it could not deal with. They come again `Stage.max_receives` times in all
    and then wait in `dead_letters`, from where they can be sent back to `queue` as they are.
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
        self.queue = WorkQueue(
            self, "Queue", stage=stage, function_timeout=function.timeout, dead_letters=self.dead_letters
        )
        events.Rule(
            self,
            "Rule",
            description=description,
            event_pattern=pattern,
            targets=[targets.SqsQueue(self.queue, dead_letter_queue=self.dead_letters)],
        )
        self._feed(function, batching)

    def _feed(self, function: PythonFunction, batching: Batching) -> None:
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
