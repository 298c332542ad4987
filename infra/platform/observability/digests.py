"""Digests: a function and its schedules send people the figures of a day or a week."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.lake_stack import LakeStack
from infra.platform.observability.settings import Observability
from infra.platform.pipeline_stack import PipelineStack
from infra.platform.stage_stack import stage_of
from infra.platform.triggers import Schedule
from sluice.observability.digest.periods import REPORTS_PREFIX, PeriodKind
from sluice.observability.metrics import PLATFORM
from sluice.runs.keys import RUN_RECORDS_PREFIX

_BY_DATE = "Records are named after runs and pages after days; the folder is fixed."


class Digests(Construct):
    """The function `send_digest` and its schedules; without one, it is there to be called by hand.

    `sources` are the settings of the pipelines' sections, as JSON.
    """

    def __init__(
        self,
        scope: Construct,
        lake: LakeStack,
        pipelines: Sequence[PipelineStack],
        *,
        topic: sns.ITopic,
        missed_calls: sqs.IQueue,
    ) -> None:
        super().__init__(scope, "Digests")
        settings = stage_of(self).settings(Observability)
        stack = Stack.of(self)
        self.sources = stack.to_json_string({each.pipeline.name: each.digest_settings() for each in pipelines})
        self._missed_calls = missed_calls
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
        self.function.allow_list(lake.bucket_arn)
        self.function.allow(["s3:GetObject"], [f"{lake.bucket_arn}/{RUN_RECORDS_PREFIX}*"], _BY_DATE)
        self.function.allow(["s3:PutObject"], [f"{lake.bucket_arn}/{REPORTS_PREFIX}*"], _BY_DATE)
        self.function.allow(["sns:Publish"], [topic.topic_arn])
        self.function.keep_failed_calls(missed_calls)
        for each in pipelines:
            each.allow_digest(self.function)
        self._send(PeriodKind.DAY, settings.daily_digest)
        self._send(PeriodKind.WEEK, settings.weekly_digest)

    def _send(self, kind: PeriodKind, expression: str | None) -> None:
        if expression:
            Schedule(
                self,
                f"Each{kind.value.title()}",
                expression=expression,
                target=self.function,
                dead_letters=self._missed_calls,
                description=f"Sends the digest of the {kind.value} that is over",
                document={"span": kind.value},
            )
