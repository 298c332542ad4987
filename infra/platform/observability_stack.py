"""Observability of a stage: alarms, messages, dashboards, records of runs, digests. Holds no state of its own."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.platform.lake_stack import LakeStack
from infra.platform.layers import Layers
from infra.platform.observability.alarms import Alarms
from infra.platform.observability.cloudwatch import OnAws
from infra.platform.observability.dashboards import Dashboards, Parts
from infra.platform.observability.digests import Digests
from infra.platform.observability.notifications import Notifications
from infra.platform.observability.run_history import RunHistory
from infra.platform.observability.saved_queries import OF_ALL, SavedQueries
from infra.platform.observability.settings import Observability
from infra.platform.pipeline_stack import PipelineStack
from infra.platform.queues import DeadLetters
from infra.platform.stage_stack import StageStack
from infra.stage import Stage

_PART = "Observability"


class ObservabilityStack(StageStack):
    """Run history and digests; alarms of every pipeline → composites → topic; dashboards and saved queries."""

    def __init__(self, scope: Construct, *, stage: Stage, lake: LakeStack, pipelines: Sequence[PipelineStack]) -> None:
        """Wire the parts together; alarms and dashboards come last: they show whatever was made before."""
        super().__init__(scope, _PART, stage=stage, purpose="observability, from metric to message")
        self._stage = stage
        self._pipelines = pipelines
        self._machines = {kind: machine for each in pipelines for kind, machine in each.machines.items()}
        self._layers = Layers(self, "Layers", stage=stage)
        self._notifications = Notifications(self, "Notifications", stage=stage)
        self._missed_calls = DeadLetters(self, "MissedCalls", stage=stage)
        self._run_history = self._build_run_history(lake)
        self._digests = self._build_digests(lake)
        self._functions = [function for each in pipelines for function in each.functions]
        self._functions += [self._run_history.function, self._digests.function]
        if stage.settings(Observability).alarms:
            self._build_alarms(OnAws(self, stage))
        self.publish(Topic=self._notifications.topic.topic_arn)

    def _build_run_history(self, lake: LakeStack) -> RunHistory:
        return RunHistory(
            self,
            "RunHistory",
            stage=self._stage,
            lake=lake,
            layers=self._layers,
            machines=self._machines,
            run_objects=[key for each in self._pipelines for key in each.run_objects],
        )

    def _build_digests(self, lake: LakeStack) -> Digests:
        sources = self.to_json_string({each.pipeline.name: each.digest_settings() for each in self._pipelines})
        self.publish(DigestSources=sources)
        digests = Digests(
            self,
            "Digests",
            stage=self._stage,
            lake=lake,
            layers=self._layers,
            topic=self._notifications.topic,
            missed_calls=self._missed_calls,
            sources=sources,
        )
        for each in self._pipelines:
            each.allow_digest(digests.function)
        return digests

    def _build_alarms(self, on_aws: OnAws) -> None:
        topic = self._notifications.topic
        own = self._own_alarm(on_aws, topic)
        raised, paging = [own], [own]
        for each in self._pipelines:
            alarms = Alarms(self, each.part, stage=self._stage, on_aws=on_aws)
            each.raise_alarms(alarms)
            raised += alarms.raised
            paging.append(alarms.page(each.part, topic))
        if self._stage.settings(Observability).pages:
            on_aws.only(self._notifications.notify_of_failures([*self._machines.values()]))
        queries = [*OF_ALL, *(query for each in self._pipelines for query in each.saved_queries)]
        SavedQueries(self, "Queries", stage=self._stage, on_aws=on_aws, queries=queries, functions=self._functions)
        self._build_dashboards(on_aws, paging, raised)

    def _own_alarm(self, on_aws: OnAws, topic: sns.ITopic) -> cloudwatch.AlarmBase:
        alarms = Alarms(self, _PART, stage=self._stage, on_aws=on_aws)
        alarms.on_letters(
            "ObservabilityWaiting",
            [self._missed_calls, self._run_history.ends.dead_letters],
            "Observability itself failed: a digest was not sent, or a run has no record.",
            (
                "Look at the message in the dead letter queue: which function, which run?",
                "See that function's log, and mend what it says.",
                "Ends of runs: redrive their queue. Calls of schedules: purge theirs, the next time does the work.",
            ),
        )
        (alarm,) = alarms.raised
        alarms.notify(alarm, topic)  # a composite of one alarm would only cost
        return alarm

    def _build_dashboards(
        self, on_aws: OnAws, paging: Sequence[cloudwatch.IAlarm], raised: Sequence[cloudwatch.IAlarm]
    ) -> None:
        letters = {name: queue for each in self._pipelines for name, queue in each.dead_letters.items()}
        queues = {name: queue for each in self._pipelines for name, queue in each.queues.items()}
        ends = self._run_history.ends
        Dashboards(
            self,
            "Dashboards",
            stage=self._stage,
            on_aws=on_aws,
            parts=Parts(
                pipelines=[each.pipeline for each in self._pipelines],
                functions=self._functions,
                machines={kind.title(): machine for kind, machine in self._machines.items()},
                queues={**queues, "ends of runs": ends.queue},
                dead_letters={**letters, "calls, observability": self._missed_calls, "ends of runs": ends.dead_letters},
            ),
            panels=[each.panels() for each in self._pipelines],
            paging=paging,
            alarms=raised,
        )
