"""Vendor exports: every hour's delivery fetched, proven complete, and kept account of. Holds no state of its own."""

from __future__ import annotations

from constructs import Construct

from infra.constructs.alarms import alarm_on_failure, alarm_on_letters
from infra.constructs.export_functions import ExportFunctions
from infra.constructs.export_machine import ExportMachine
from infra.constructs.history_machine import HistoryMachine
from infra.constructs.outputs import publish
from infra.constructs.stage_stack import StageStack
from infra.constructs.timetable import Timetable
from infra.constructs.work_queue import DeadLetters
from infra.lake_stack import LakeStack
from infra.stage import Stage


class ExportsStack(StageStack):
    """Schedule → Export machine → lake and histories; the History machine for what was there before."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, lake: LakeStack) -> None:
        """Wire the parts together."""
        super().__init__(scope, construct_id, stage=stage, purpose="vendor exports, hour by hour")
        functions = ExportFunctions(self, "Functions", stage=stage, lake=lake)
        lake_arn = lake.arn_for_others(lake.lake)
        self._export = ExportMachine(
            self, "Export", stage=stage, lake=lake.lake, lake_arn=lake_arn, steps=functions.export_steps
        )
        self._history = HistoryMachine(
            self, "History", stage=stage, lake=lake.lake, lake_arn=lake_arn, steps=functions.history_steps
        )
        self._missed_calls = DeadLetters(self, "MissedCalls", stage=stage)
        if stage.exports.schedule:
            self._keep_to_the_timetable(stage.exports.schedule)
        if stage.alarms:
            self._raise_alarms()
        update = functions.history_steps.update.function.function_name
        publish(
            self,
            ExportMachine=self._export.arn,
            HistoryMachine=self._history.arn,
            UpdateHistoryFunction=update,
            ExportEnvironment=stage.exports.environment.value,
        )

    def _keep_to_the_timetable(self, schedule: str) -> None:
        Timetable(
            self,
            "Exports",
            expression=schedule,
            target_arn=self._export.arn,
            action="states:StartExecution",
            dead_letters=self._missed_calls,
            description="Has the vendor export the hour, and fetches it",
        )

    def _raise_alarms(self) -> None:
        calls = "The schedule could not start an export: see why; that hour has no delivery unless it is run by hand."
        alarm_on_letters(self, "CallsWaiting", self._missed_calls, calls)
        failed = (
            "An export is incomplete: `sluice export --slot` of its hour copies what is missing; the runbook helps."
        )
        alarm_on_failure(self, "ExportFailed", self._export.machine, failed)
        history = "Histories could not be initialised: open the execution in the console, then start it again."
        alarm_on_failure(self, "HistoryFailed", self._history.machine, history)
