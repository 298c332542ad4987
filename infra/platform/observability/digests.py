"""Tells people by a schedule what a day or a week was like."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.layers.layers import Layers
from infra.platform.lake_stack import LakeStack
from infra.platform.python_function import PythonFunction
from infra.platform.schedule import Timetable
from infra.stage import Stage
from sluice.observability.digest.keys import REPORTS_PREFIX
from sluice.observability.digest.periods import SpanKind
from sluice.observability.metrics import Pipeline
from sluice.runs.keys import RUN_RECORDS_PREFIX
from sluice.vendor_exports.completeness.keys import state_key

_BY_DATE = "Records are named after runs and pages after days; the folder is fixed."


class Digests(Construct):
    """The function `send_digest` and its schedules; without one, it is there to be called by hand."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        lake: LakeStack,
        layers: Layers,
        topic: sns.ITopic,
        missed_calls: sqs.IQueue,
    ) -> None:
        """Build both."""
        super().__init__(scope, construct_id)
        self._missed_calls = missed_calls
        self.function = PythonFunction(
            self,
            stage=stage,
            folder="send_digest",
            pipeline=Pipeline.EVENT_FILES,
            purpose="Sends people the digest of a day or a week",
            size=stage.watch.send_digest,
            layers=layers.including("arrow", "plots"),
            environment={
                "REGION": Stack.of(self).region,
                "LAKE_BUCKET": lake.lake.bucket_name,
                "LEDGER_TABLE": lake.ledger.table_name,
                "TOPIC": topic.topic_arn,
                "ENVIRONMENT": stage.exports.environment.value,
                "OUT_OF_SCOPE": ",".join(stage.exports.out_of_scope),
            },
        )
        self._allow(stage, lake, topic)
        self.function.keep_failed_calls(missed_calls)
        if stage.watch.daily_digest:
            self._send(SpanKind.DAY, stage.watch.daily_digest)
        if stage.watch.weekly_digest:
            self._send(SpanKind.WEEK, stage.watch.weekly_digest)

    def _allow(self, stage: Stage, lake: LakeStack, topic: sns.ITopic) -> None:
        bucket = lake.arn_for_others(lake.lake)
        self.function.allow(["s3:ListBucket"], [bucket])
        self.function.allow(["s3:GetObject"], [f"{bucket}/{state_key(stage.exports.environment)}"])
        self.function.allow(["s3:GetObject"], [f"{bucket}/{RUN_RECORDS_PREFIX}*"], _BY_DATE)
        self.function.allow(["s3:PutObject"], [f"{bucket}/{REPORTS_PREFIX}*"], _BY_DATE)
        self.function.allow(["dynamodb:Query"], [lake.ledger.table_arn])
        self.function.allow(["sns:Publish"], [topic.topic_arn])

    def _send(self, kind: SpanKind, schedule: str) -> None:
        Timetable(
            self,
            f"Each{kind.value.title()}",
            expression=schedule,
            target_arn=self.function.function.function_arn,
            action="lambda:InvokeFunction",
            dead_letters=self._missed_calls,
            description=f"Sends the digest of the {kind.value} that is over",
            document={"span": kind.value},
        )
