"""Records of runs, one of every execution that ends, and the digests that people get of a day or a week."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.lake_part import LakePart
from infra.platform.machine import NAMED_LATER, Machine
from infra.platform.observability.settings import Observability
from infra.platform.pipeline_part import PipelinePart
from infra.platform.stage_stack import stage_of
from infra.platform.triggers import QueuedEvents, Schedule
from sluice.observability.digest.periods import REPORTS_PREFIX, PeriodKind
from sluice.observability.metrics import PLATFORM
from sluice.runs.records import RUN_RECORDS_PREFIX
from sluice.runs.runs_table import RUNS

_NAMELESS = "The local cloud does not tell map runs from one another."
_BY_RUN = "Objects and records are named after runs; their folders are fixed."
_ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")


class RunHistory(Construct):
    """Ends of executions → queue → `record_run`; a history that cannot be read waits in `ends.dead_letters`.

    Those that did not succeed are told on the topic, if the stage pages.
    """

    def __init__(self, scope: Construct, lake: LakePart, pipelines: Sequence[PipelinePart], topic: sns.ITopic) -> None:
        super().__init__(scope, "RunHistory")
        settings = stage_of(self).settings(Observability)
        machines = {kind: machine for each in pipelines for kind, machine in each.machines.items()}
        arns = {kind: machine.arn for kind, machine in machines.items()}
        self.function = PythonFunction(
            self,
            "record_run",
            "arrow",
            "tables",
            pipeline=PLATFORM,
            purpose="Records the outcome of an execution",
            size=settings.record_run,
            environment={
                "LAKE_BUCKET": lake.bucket.bucket_name,
                "DATABASE": lake.stage.database,
                "MACHINES": Stack.of(self).to_json_string(arns),
                "TOPIC": topic.topic_arn if settings.pages else "",
            },
        )
        if settings.pages:
            self.function.allow(["sns:Publish"], [topic.topic_arn])
        self._allow_executions([*machines.values()])
        for key in (key for each in pipelines for key in each.run_objects):
            self.function.allow(["s3:GetObject"], [f"{lake.bucket.bucket_arn}/{key}"], _BY_RUN)
        own = [f"{lake.bucket.bucket_arn}/{RUN_RECORDS_PREFIX}*"]
        self.function.allow(["s3:GetObject", "s3:PutObject"], own, _BY_RUN)
        self.function.allow_list(lake.bucket.bucket_arn)
        lake.catalog.let_publish(self.function, RUNS)
        self.ends = QueuedEvents(
            self,
            "Ends",
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

    def _allow_executions(self, machines: Sequence[Machine]) -> None:
        reading = ["states:DescribeExecution", "states:GetExecutionHistory", "states:ListMapRuns"]
        self.function.allow(reading, [machine.executions_arn for machine in machines], NAMED_LATER)
        # Causes of failed items of a map stand with its child executions only.
        children = [arn for machine in machines for arn in machine.children_arns]
        if not children:
            return
        self.function.allow(["states:DescribeExecution"], children, NAMED_LATER)
        if stage_of(self).local:
            self.function.allow(["states:DescribeMapRun", "states:ListExecutions"], ["*"], _NAMELESS)
        else:
            map_runs = [arn for machine in machines for arn in machine.map_runs_arns]
            self.function.allow(["states:DescribeMapRun"], map_runs, NAMED_LATER)
            listed = [*map_runs, *(machine.arn for machine in machines)]
            self.function.allow(["states:ListExecutions"], listed, NAMED_LATER)


_BY_DATE = "Records are named after runs and pages after days; the folder is fixed."


class Digests(Construct):
    """The function `send_digest` and its schedules; without one, it is there to be called by hand.

    `sources` are the settings of the pipelines' sections, as JSON.
    """

    def __init__(
        self,
        scope: Construct,
        lake: LakePart,
        pipelines: Sequence[PipelinePart],
        *,
        topic: sns.ITopic,
        missed_calls: sqs.IQueue,
    ) -> None:
        super().__init__(scope, "Digests")
        settings = stage_of(self).settings(Observability)
        stack = Stack.of(self)
        self.sources = stack.to_json_string({each.pipeline.name: each.digest_settings() for each in pipelines})
        self.function = PythonFunction(
            self,
            "send_digest",
            "arrow",
            "plots",
            pipeline=PLATFORM,
            purpose="Sends people the digest of a day or a week",
            size=settings.send_digest,
            environment={
                "REGION": stack.region,
                "LAKE_BUCKET": lake.bucket.bucket_name,
                "TOPIC": topic.topic_arn,
                "DIGEST_SOURCES": self.sources,
            },
        )
        self.function.allow_list(lake.bucket.bucket_arn)
        self.function.allow(["s3:GetObject"], [f"{lake.bucket.bucket_arn}/{RUN_RECORDS_PREFIX}*"], _BY_DATE)
        self.function.allow(["s3:PutObject"], [f"{lake.bucket.bucket_arn}/{REPORTS_PREFIX}*"], _BY_DATE)
        self.function.allow(["sns:Publish"], [topic.topic_arn])
        self.function.keep_failed_calls(missed_calls)
        for each in pipelines:
            each.allow_digest(self.function)
        for kind, expression in ((PeriodKind.DAY, settings.daily_digest), (PeriodKind.WEEK, settings.weekly_digest)):
            if expression:
                Schedule(
                    self,
                    f"Each{kind.value.title()}",
                    expression=expression,
                    target=self.function,
                    dead_letters=missed_calls,
                    description=f"Sends the digest of the {kind.value} that is over",
                    document={"span": kind.value},
                )
