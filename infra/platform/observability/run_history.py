"""Every execution of the stage's machines that ends leaves a record in the lake."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_events as events
from constructs import Construct

from infra.layers.layers import Layers
from infra.platform.lake_stack import LakeStack
from infra.platform.machine import NAMED_LATER, Machine
from infra.platform.python_function import PythonFunction
from infra.platform.queued_events import QueuedEvents
from infra.stage import Stage
from sluice.observability.metrics import Pipeline
from sluice.runs.keys import RUN_RECORDS_PREFIX

_NAMELESS = "The local cloud does not tell map runs from one another."
_ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class RunHistory(Construct):
    """Ends of executions → queue → `record_run`; a history that cannot be read waits in `ends.dead_letters`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        lake: LakeStack,
        layers: Layers,
        convert: Machine,
        export: Machine,
        history: Machine,
    ) -> None:
        """Build function, rule and queue."""
        super().__init__(scope, construct_id)
        machines = (convert, export, history)
        self.function = PythonFunction(
            self,
            stage=stage,
            folder="record_run",
            pipeline=Pipeline.EVENT_FILES,
            purpose="Records what became of an execution",
            size=stage.watch.record_run,
            layers=layers.including(),
            environment={
                "LAKE_BUCKET": lake.lake.bucket_name,
                "CONVERT_MACHINE": convert.arn,
                "EXPORT_MACHINE": export.arn,
                "HISTORY_MACHINE": history.arn,
            },
        )
        self._allow(machines, lake.arn_for_others(lake.lake), local=stage.local)
        self.ends = QueuedEvents(
            self,
            "Ends",
            stage=stage,
            # The items of a map are executions too, of machines whose ARNs go on after the machine's name.
            pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": list(_ENDS), "stateMachineArn": [machine.arn for machine in machines]},
            ),
            description="Executions of the stage's machines that ended",
            function=self.function,
            batching=stage.watch.ends,
        )

    def _allow(self, machines: Sequence[Machine], lake_arn: str, *, local: bool) -> None:
        executions = [machine.executions_arn for machine in machines]
        children = [machine.children_arn for machine in machines]
        reading = ["states:DescribeExecution", "states:GetExecutionHistory", "states:ListMapRuns"]
        self.function.allow(reading, executions, NAMED_LATER)
        # Why items of a map failed stands with these only.
        self.function.allow(["states:DescribeExecution"], children, NAMED_LATER)
        if local:
            self.function.allow(["states:DescribeMapRun", "states:ListExecutions"], ["*"], _NAMELESS)
        else:
            map_runs = [machine.map_runs_arn for machine in machines]
            self.function.allow(["states:DescribeMapRun"], map_runs, NAMED_LATER)
            listed = [*map_runs, *(machine.arn for machine in machines)]
            self.function.allow(["states:ListExecutions"], listed, NAMED_LATER)
        self.function.allow(["s3:GetObject"], [f"{lake_arn}/runs/*/commit.json"], "Every run has a summary of its own.")
        named = "Records are named after executions; the folder is fixed."
        self.function.allow(["s3:PutObject"], [f"{lake_arn}/{RUN_RECORDS_PREFIX}*"], named)
