"""Event files: from the upload in the source bucket to rows in the lake's tables. Holds no state of its own."""

from __future__ import annotations

from constructs import Construct

from infra.event_files.functions import EventFunctions
from infra.event_files.machine import ConversionMachine, ConversionSteps
from infra.platform.lake_stack import LakeStack
from infra.platform.outputs import publish
from infra.platform.s3_notifications import AnnouncedObjects
from infra.platform.schedule import BY_SCHEDULE, Timetable
from infra.platform.search import ProfilingSearch
from infra.platform.stage_stack import StageStack
from infra.platform.work_queue import DeadLetters
from infra.stage import Stage


class EventFilesStack(StageStack):
    """Source bucket → EventBridge → queue → validate_files → lake, and the Convert machine over it."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, lake: LakeStack) -> None:
        """Wire the parts together."""
        super().__init__(scope, construct_id, stage=stage, purpose="event files, from upload to table")
        self._stage = stage
        self.functions = EventFunctions(self, "Functions", stage=stage, lake=lake)
        self.files = self._build_files(lake)
        self.media = self._build_media(lake)
        self.search = self._build_search(lake)
        self.machine = self._build_machine(lake)
        self.missed_calls = DeadLetters(self, "MissedCalls", stage=stage)
        self._keep_to_the_timetable()
        publish(
            self,
            QueueUrl=self.files.queue.queue_url,
            DeadLetterQueueUrl=self.files.dead_letters.queue_url,
            ConvertMachine=self.machine.arn,
        )

    def _build_files(self, lake: LakeStack) -> AnnouncedObjects:
        return AnnouncedObjects(
            self,
            "Files",
            stage=self._stage,
            bucket=lake.source,
            kinds=["Object Created"],
            function=self.functions.validate_files,
            batching=self._stage.files,
        )

    def _build_media(self, lake: LakeStack) -> AnnouncedObjects:
        return AnnouncedObjects(
            self,
            "Media",
            stage=self._stage,
            bucket=lake.media,
            kinds=["Object Created", "Object Deleted"],
            function=self.functions.index_media,
            batching=self._stage.media,
        )

    def _build_search(self, lake: LakeStack) -> ProfilingSearch | None:
        settings = self._stage.watch.search
        if not settings:
            return None
        return ProfilingSearch(
            self, "Search", stage=self._stage, settings=settings, lake=lake, layers=self.functions.layers
        )

    def _build_machine(self, lake: LakeStack) -> ConversionMachine:
        steps = ConversionSteps(
            plan=self.functions.plan_conversion,
            convert=self.functions.convert_batch,
            commit=self.functions.commit_conversion,
            profile=self.functions.profile_run,
            load=self.search.load if self.search else None,
        )
        lake_arn = lake.arn_for_others(lake.lake)
        return ConversionMachine(self, "Convert", stage=self._stage, lake=lake.lake, lake_arn=lake_arn, steps=steps)

    def _keep_to_the_timetable(self) -> None:
        if self._stage.conversion_schedule:
            Timetable(
                self,
                "Conversions",
                expression=self._stage.conversion_schedule,
                target_arn=self.machine.arn,
                action="states:StartExecution",
                dead_letters=self.missed_calls,
                description="Converts what has been validated since the last run",
                document=BY_SCHEDULE,
            )
        self.functions.sweep_orphans.keep_failed_calls(self.missed_calls)
        if self._stage.sweep_schedule:
            Timetable(
                self,
                "Sweeps",
                expression=self._stage.sweep_schedule,
                target_arn=self.functions.sweep_orphans.function.function_arn,
                action="lambda:InvokeFunction",
                dead_letters=self.missed_calls,
                description="Removes objects of chunks that were never committed",
            )
