"""The recommender: after every pull, recommendations for all users in lake and mart."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from infra.platform.lake_part import LakePart
from infra.platform.pipeline_part import PipelinePart
from infra.recommender.functions import RecommenderFunctions
from infra.recommender.machine import InferMachine
from sluice.recommender.lake_tables import TABLES
from sluice.recommender.pipeline import PIPELINE

_PULL = "pull"  # the kind of runs that fill the mart


class RecommenderPart(PipelinePart):
    """Pull ends → Infer machine → tables RECOMMENDATIONS and EVALUATIONS, and the mart."""

    pipeline = PIPELINE

    def __init__(self, scope: Construct, *, lake: LakePart) -> None:
        super().__init__(scope, lake=lake)
        for table in TABLES:
            lake.catalog.add(self, table)
        self.steps = RecommenderFunctions(self)
        self.infer = InferMachine(self, self.steps)
        self.add_machine(self.infer)
        self._start_after_pulls()

    def _start_after_pulls(self) -> None:
        """Start Infer when a pull is complete; where the mart shows nothing new, it ends at once."""
        name = f"{self.stage.resource_prefix}-{_PULL}"
        pulls = Stack.of(self).format_arn(
            service="states",
            resource="stateMachine",
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        events.Rule(
            self,
            "AfterPulls",
            description="Recommends after every complete pull",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": ["SUCCEEDED"], "stateMachineArn": [pulls]},
            ),
            targets=[
                targets.SfnStateMachine(
                    self.infer.machine,
                    dead_letter_queue=self.missed_calls,
                    input=events.RuleTargetInput.from_object({"started_by": "pull"}),
                )
            ],
        )
