"""Records of runs: every execution of the stage's machines that ends leaves one in the lake."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_events as events
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.lake_stack import LakeStack
from infra.platform.layers import Layers
from infra.platform.machine import NAMED_LATER, Machine
from infra.platform.observability.settings import Observability
from infra.platform.queues import QueuedEvents
from infra.stage import Stage
from sluice.observability.metrics import PLATFORM
from sluice.runs.keys import RUN_RECORDS_PREFIX

_NAMELESS = "The local cloud does not tell map runs from one another."
_BY_RUN = "Objects and records are named after runs; their folders are fixed."
_ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class RunHistory(Construct):
    """Ends of executions → queue → `record_run`; a history that cannot be read waits in `ends.dead_letters`.

    `machines` are named by their kinds of runs; `run_objects` are keys, or patterns of keys, of the objects that
    summaries of runs are made from.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        lake: LakeStack,
        layers: Layers,
        machines: Mapping[str, Machine],
        run_objects: Sequence[str],
    ) -> None:
        """Build function, rule and queue."""
        super().__init__(scope, construct_id)
        settings = stage.settings(Observability)
        arns = {kind: machine.arn for kind, machine in machines.items()}
        self.function = PythonFunction(
            self,
            stage=stage,
            folder="record_run",
            pipeline=PLATFORM,
            purpose="Records the outcome of an execution",
            size=settings.record_run,
            layers=layers.including(),
            environment={"LAKE_BUCKET": lake.bucket.bucket_name, "MACHINES": Stack.of(self).to_json_string(arns)},
        )
        self._allow_executions([*machines.values()], local=stage.local)
        for key in run_objects:
            self.function.allow(["s3:GetObject"], [f"{lake.bucket_arn}/{key}"], _BY_RUN)
        self.function.allow(["s3:PutObject"], [f"{lake.bucket_arn}/{RUN_RECORDS_PREFIX}*"], _BY_RUN)
        self.ends = QueuedEvents(
            self,
            "Ends",
            stage=stage,
            # The items of a map are executions too, of machines whose ARNs go on after the machine's name.
            pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": list(_ENDS), "stateMachineArn": list(arns.values())},
            ),
            description="Executions of the stage's machines that ended",
            function=self.function,
            batching=settings.ends,
        )

    def _allow_executions(self, machines: Sequence[Machine], *, local: bool) -> None:
        reading = ["states:DescribeExecution", "states:GetExecutionHistory", "states:ListMapRuns"]
        self.function.allow(reading, [machine.executions_arn for machine in machines], NAMED_LATER)
        # Causes of failed items of a map stand with its child executions only.
        children = [arn for machine in machines for arn in machine.children_arns]
        self.function.allow(["states:DescribeExecution"], children, NAMED_LATER)
        if local:
            self.function.allow(["states:DescribeMapRun", "states:ListExecutions"], ["*"], _NAMELESS)
        else:
            map_runs = [arn for machine in machines for arn in machine.map_runs_arns]
            self.function.allow(["states:DescribeMapRun"], map_runs, NAMED_LATER)
            listed = [*map_runs, *(machine.arn for machine in machines)]
            self.function.allow(["states:ListExecutions"], listed, NAMED_LATER)
