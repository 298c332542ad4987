"""Vendor exports: every hour's delivery fetched, proven complete, and kept account of. Holds no state of its own."""

from __future__ import annotations

from constructs import Construct

from infra.platform.lake_stack import LakeStack
from infra.platform.outputs import publish
from infra.platform.schedule import BY_SCHEDULE, Timetable
from infra.platform.stage_stack import StageStack
from infra.platform.work_queue import DeadLetters
from infra.stage import Stage
from infra.vendor_exports.functions import ExportFunctions
from infra.vendor_exports.history_machine import HistoryMachine
from infra.vendor_exports.machine import ExportMachine


class ExportsStack(StageStack):
    """Schedule → Export machine → lake and histories; the History machine for what was there before."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, lake: LakeStack) -> None:
        """Wire the parts together."""
        super().__init__(scope, construct_id, stage=stage, purpose="vendor exports, hour by hour")
        self.functions = ExportFunctions(self, "Functions", stage=stage, lake=lake)
        lake_arn = lake.arn_for_others(lake.lake)
        self.export = ExportMachine(
            self, "Export", stage=stage, lake=lake.lake, lake_arn=lake_arn, steps=self.functions.export_steps
        )
        self.history = HistoryMachine(
            self, "History", stage=stage, lake=lake.lake, lake_arn=lake_arn, steps=self.functions.history_steps
        )
        self.missed_calls = DeadLetters(self, "MissedCalls", stage=stage)
        if stage.exports.schedule:
            self._keep_to_the_timetable(stage.exports.schedule)
        update = self.functions.history_steps.update.function.function_name
        publish(
            self,
            ExportMachine=self.export.arn,
            HistoryMachine=self.history.arn,
            UpdateHistoryFunction=update,
            ExportEnvironment=stage.exports.environment.value,
        )

    def _keep_to_the_timetable(self, schedule: str) -> None:
        Timetable(
            self,
            "Exports",
            expression=schedule,
            target_arn=self.export.arn,
            action="states:StartExecution",
            dead_letters=self.missed_calls,
            description="Has the vendor export the hour, and fetches it",
            document=BY_SCHEDULE,
        )
