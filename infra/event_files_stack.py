"""Event files: from the upload in the source bucket to rows in the lake's tables. Holds no state of its own."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda_destinations as destinations
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.alarms import alarm_on_failure, alarm_on_letters
from infra.constructs.conversion_machine import ConversionMachine, ConversionSteps
from infra.constructs.event_functions import EventFunctions
from infra.constructs.findings import acknowledge
from infra.constructs.outputs import publish
from infra.constructs.stage_stack import StageStack
from infra.constructs.timetable import Timetable
from infra.constructs.work_queue import DeadLetters, WorkQueue
from infra.lake_stack import LakeStack
from infra.stage import Stage


class EventFilesStack(StageStack):
    """Source bucket → EventBridge → queue → validate_files → lake, and the Convert machine over it."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, lake: LakeStack) -> None:
        """Wire the parts together."""
        super().__init__(scope, construct_id, stage=stage, purpose="event files, from upload to table")
        self._stage = stage
        self._functions = EventFunctions(self, "Functions", stage=stage, lake=lake)
        # Announcements apart from everything else, so that they can be sent back to their queue as they are.
        self._letters = DeadLetters(self, "DeadLetters", stage=stage)
        self._failed_calls = DeadLetters(self, "FailedCalls", stage=stage)
        self._queue = self._build_queue()
        self._machine = self._build_machine(lake)
        self._validate_announced_files(lake.source)
        self._index_announced_media(lake.media)
        self._keep_to_the_timetable()
        if stage.alarms:
            self._raise_alarms()
        publish(
            self,
            QueueUrl=self._queue.queue_url,
            DeadLetterQueueUrl=self._letters.queue_url,
            ConvertMachine=self._machine.arn,
        )

    def _build_queue(self) -> WorkQueue:
        return WorkQueue(
            self,
            "Announcements",
            stage=self._stage,
            function_timeout_seconds=self._stage.validate_files.timeout_seconds,
            dead_letters=self._letters,
            max_receives=self._stage.validate_max_receives,
        )

    def _build_machine(self, lake: LakeStack) -> ConversionMachine:
        steps = ConversionSteps(
            plan=self._functions.plan_conversion,
            convert=self._functions.convert_batch,
            commit=self._functions.commit_conversion,
            profile=self._functions.profile_run,
        )
        lake_arn = lake.arn_for_others(lake.lake)
        return ConversionMachine(self, "Convert", stage=self._stage, lake=lake.lake, lake_arn=lake_arn, steps=steps)

    def _validate_announced_files(self, source: s3.IBucket) -> None:
        target = targets.SqsQueue(self._queue, dead_letter_queue=self._letters)
        self._on_objects("FilesCreated", source, ["Object Created"], target)
        function = self._functions.validate_files.function
        redriven = "A queue as a source takes no destination: what fails goes to its dead letter queue."
        acknowledge(function, "Serverless-LambdaEventSourceMappingDestination", redriven)
        function.add_event_source(
            sources.SqsEventSource(
                self._queue,
                batch_size=self._stage.validate_batch_files,
                max_batching_window=Duration.seconds(self._stage.validate_batch_window_seconds),
                max_concurrency=self._stage.validate_max_concurrency,
                report_batch_item_failures=True,
            )
        )

    def _index_announced_media(self, media: s3.IBucket) -> None:
        function = self._functions.index_media
        function.function.configure_async_invoke(
            on_failure=destinations.SqsDestination(self._failed_calls),
            retry_attempts=2,
            max_event_age=Duration.hours(6),
        )
        target = targets.LambdaFunction(function.function, dead_letter_queue=self._failed_calls)
        self._on_objects("MediaChanged", media, ["Object Created", "Object Deleted"], target)

    def _on_objects(self, construct_id: str, bucket: s3.IBucket, kinds: list[str], target: events.IRuleTarget) -> None:
        events.Rule(
            self,
            construct_id,
            description=f"{' or '.join(kinds)} in the {bucket.node.id.lower()} bucket",
            event_pattern=events.EventPattern(
                source=["aws.s3"], detail_type=kinds, detail={"bucket": {"name": [bucket.bucket_name]}}
            ),
            targets=[target],
        )

    def _keep_to_the_timetable(self) -> None:
        if self._stage.conversion_schedule:
            Timetable(
                self,
                "Conversions",
                expression=self._stage.conversion_schedule,
                target_arn=self._machine.arn,
                action="states:StartExecution",
                dead_letters=self._failed_calls,
                description="Converts what has been validated since the last run",
            )
        if self._stage.sweep_schedule:
            Timetable(
                self,
                "Sweeps",
                expression=self._stage.sweep_schedule,
                target_arn=self._functions.sweep_orphans.function.function_arn,
                action="lambda:InvokeFunction",
                dead_letters=self._failed_calls,
                description="Removes objects of chunks that were never committed",
            )

    def _raise_alarms(self) -> None:
        lost = "Files that could not be validated wait in the dead letter queue: see why, then redrive it."
        alarm_on_letters(self, "LettersWaiting", self._letters, lost)
        missed = "Media events or scheduled calls failed for good: see why; `sluice media index` makes the index anew."
        alarm_on_letters(self, "CallsWaiting", self._failed_calls, missed)
        failed = "A conversion failed: open the execution in the console; the next run finishes what it began."
        alarm_on_failure(self, "ConversionFailed", self._machine.machine, failed)
