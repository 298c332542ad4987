"""Watching: what wakes a person, what they look at, and what remembers. Holds nothing that cannot be made again."""

from __future__ import annotations

from constructs import Construct

from infra.event_files.alarms import EventFileAlarms
from infra.event_files.lag_probe import LagProbe
from infra.event_files.queue_alarms import raise_on_watching
from infra.event_files.stack import EventFilesStack
from infra.layers.layers import Layers
from infra.platform.lake_stack import LakeStack
from infra.platform.observability.business_rows import BusinessRows
from infra.platform.observability.dashboards import Dashboards
from infra.platform.observability.digests import Digests
from infra.platform.observability.notifications import Notifications
from infra.platform.observability.on_aws import OnAws
from infra.platform.observability.operations_rows import OperationsRows, Parts
from infra.platform.observability.run_history import RunHistory
from infra.platform.observability.saved_queries import SavedQueries
from infra.platform.outputs import publish
from infra.platform.python_function import PythonFunction
from infra.platform.queued_events import QueuedEvents
from infra.platform.stage_stack import StageStack
from infra.platform.work_queue import DeadLetters
from infra.stage import Stage
from infra.vendor_exports.alarms import ExportAlarms
from infra.vendor_exports.stack import ExportsStack


class WatchStack(StageStack):
    """Probe, run history and digests; alarms → composites → topic; dashboards and saved queries."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        lake: LakeStack,
        event_files: EventFilesStack,
        exports: ExportsStack,
    ) -> None:
        """Wire the parts together."""
        super().__init__(scope, construct_id, stage=stage, purpose="watching, from metric to message")
        self._stage = stage
        self._notifications = Notifications(self, "Notifications", stage=stage)
        self.topic = self._notifications.topic
        # Functions of this stack, shown on the operations dashboard beside those of the pipelines.
        self.functions: list[PythonFunction] = []
        self._layers = Layers(self, "Layers", stage=stage)
        self.missed_calls = DeadLetters(self, "MissedCalls", stage=stage)
        self._build_probe(lake)
        self._ends = self._build_run_history(lake, event_files, exports)
        self._build_digests(lake)
        if stage.alarms:
            self._watch(event_files, exports)
        publish(self, Topic=self.topic.topic_arn)

    def _build_probe(self, lake: LakeStack) -> None:
        built = LagProbe(
            self, "LagProbe", stage=self._stage, lake=lake, layers=self._layers, missed_calls=self.missed_calls
        )
        self.functions.append(built.function)

    def _build_run_history(self, lake: LakeStack, event_files: EventFilesStack, exports: ExportsStack) -> QueuedEvents:
        built = RunHistory(
            self,
            "RunHistory",
            stage=self._stage,
            lake=lake,
            layers=self._layers,
            convert=event_files.machine,
            export=exports.export,
            history=exports.history,
        )
        self.functions.append(built.function)
        return built.ends

    def _build_digests(self, lake: LakeStack) -> None:
        built = Digests(
            self,
            "Digests",
            stage=self._stage,
            lake=lake,
            layers=self._layers,
            topic=self.topic,
            missed_calls=self.missed_calls,
        )
        self.functions.append(built.function)

    def _watch(self, event_files: EventFilesStack, exports: ExportsStack) -> None:
        """Last of all: it shows whatever was made before."""
        stage, on_aws = self._stage, OnAws(self, self._stage)
        files_alarms = EventFileAlarms(self, "EventFiles", stage=stage, on_aws=on_aws, parts=event_files)
        raise_on_watching(files_alarms, [self.missed_calls, self._ends.dead_letters])
        export_alarms = ExportAlarms(self, "Exports", stage=stage, on_aws=on_aws, parts=exports)
        pages = [files_alarms.page("EventFiles", self.topic), export_alarms.page("Exports", self.topic)]
        machines = {"Convert": event_files.machine, "Export": exports.export, "History": exports.history}
        if stage.watch.pages:
            on_aws.only(self._notifications.tell_of_failures([*machines.values()]))
        functions = [*event_files.functions, *(event_files.search or ()), *exports.functions, *self.functions]
        SavedQueries(self, "Queries", stage=stage, on_aws=on_aws, functions=functions)
        parts = Parts(
            functions=functions,
            machines=machines,
            queues={
                "files": event_files.files.queue,
                "media": event_files.media.queue,
                "ends of runs": self._ends.queue,
            },
            dead_letters={
                "files": event_files.files.dead_letters,
                "media": event_files.media.dead_letters,
                "calls, event files": event_files.missed_calls,
                "calls, exports": exports.missed_calls,
                "calls, watching": self.missed_calls,
                "ends of runs": self._ends.dead_letters,
            },
        )
        raised = [*files_alarms.raised, *export_alarms.raised]
        Dashboards(
            self,
            "Dashboards",
            stage=stage,
            on_aws=on_aws,
            business=BusinessRows(stage, functions, pages),
            operations=OperationsRows(stage, parts, raised),
        )
