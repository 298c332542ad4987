"""Measures how far the lake is behind, by a schedule."""

from __future__ import annotations

from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.layers.layers import Layers
from infra.platform.lake_stack import LakeStack
from infra.platform.python_function import PythonFunction
from infra.platform.schedule import Timetable
from infra.stage import Stage
from sluice.observability.metrics import Pipeline


class LagProbe(Construct):
    """The function `probe_lag` and its schedule; without one, it is there to be called by hand."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        lake: LakeStack,
        layers: Layers,
        missed_calls: sqs.IQueue,
    ) -> None:
        """Build both."""
        super().__init__(scope, construct_id)
        self.function = PythonFunction(
            self,
            stage=stage,
            folder="probe_lag",
            pipeline=Pipeline.EVENT_FILES,
            purpose="Measures how far the lake is behind",
            size=stage.watch.probe_lag,
            layers=layers.including(),
            environment={"LEDGER_TABLE": lake.ledger.table_name},
        )
        self.function.allow(["dynamodb:Query"], [lake.ledger.table_arn])
        self.function.keep_failed_calls(missed_calls)
        if stage.watch.probe_schedule:
            Timetable(
                self,
                "Probes",
                expression=stage.watch.probe_schedule,
                target_arn=self.function.function.function_arn,
                action="lambda:InvokeFunction",
                dead_letters=missed_calls,
                description="Measures how far the lake is behind",
            )
