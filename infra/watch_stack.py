"""Watching: what wakes a person, what they look at, and what remembers. Holds nothing that cannot be made again."""

from __future__ import annotations

from constructs import Construct

from infra.constructs.lag_probe import LagProbe
from infra.constructs.layers import Layers
from infra.constructs.notifications import Notifications
from infra.constructs.outputs import publish
from infra.constructs.python_function import PythonFunction
from infra.constructs.stage_stack import StageStack
from infra.constructs.work_queue import DeadLetters
from infra.event_files_stack import EventFilesStack
from infra.exports_stack import ExportsStack
from infra.lake_stack import LakeStack
from infra.stage import Stage


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
        publish(self, Topic=self.topic.topic_arn)

    def _build_probe(self, lake: LakeStack) -> None:
        built = LagProbe(
            self, "LagProbe", stage=self._stage, lake=lake, layers=self._layers, missed_calls=self.missed_calls
        )
        self.functions.append(built.function)
