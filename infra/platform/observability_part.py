"""Observability of a stage: alarms, messages, dashboards, records of runs, digests. Holds no state of its own."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, CfnCondition, CfnResource, Fn, Stack
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.platform.dashboards import Dashboards
from infra.platform.lake_part import LakePart
from infra.platform.mart import Mart
from infra.platform.observability.alarms import Alarms
from infra.platform.observability.saved_queries import OF_ALL, save_queries
from infra.platform.observability.settings import Observability, SlackChannel
from infra.platform.pipeline_part import PipelinePart
from infra.platform.run_history import Digests, RunHistory
from infra.platform.stage_stack import PLAIN_HTTP, Part, acknowledge, on_our_behalf, stage_of
from infra.platform.triggers import DeadLetters


class Notifications(Construct):
    """A topic, TLS only, and the people and the channel that the settings of observability name."""

    def __init__(self, scope: Construct) -> None:
        super().__init__(scope, "Notifications")
        stage = stage_of(self)
        settings = stage.settings(Observability)
        self.topic = sns.Topic(self, "Topic", display_name=f"Sluice {stage.name}", enforce_ssl=not stage.local)
        stack = Stack.of(self)
        alarms = stack.format_arn(service="cloudwatch", resource="alarm", arn_format=ArnFormat.COLON_RESOURCE_NAME)
        # The topic's own policy, which demands TLS, replaces the default one that lets the account's alarms publish.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions=on_our_behalf(self, f"{alarms}:{stage.stack_name}-*"),
            )
        )
        if stage.local:
            acknowledge(self.topic, "AwsSolutions-SNS3", PLAIN_HTTP)
        for address in settings.emails:
            subscription = self.topic.add_subscription(subscriptions.EmailSubscription(address))
            acknowledge(subscription, "Serverless-SNSRedrivePolicy", _PAGED_ANYWAY)
        if settings.slack:
            self._subscribe_channel(settings.slack)

    def _subscribe_channel(self, channel: SlackChannel) -> None:
        # Commands that people type in the channel may read alarms and nothing else.
        role = iam.Role(self, "ChannelRole", assumed_by=iam.ServicePrincipal("chatbot.amazonaws.com"))
        chatbot.SlackChannelConfiguration(
            self,
            "Channel",
            # Another workspace is another configuration, which is made before the old one goes: not of the same name.
            slack_channel_configuration_name=f"{stage_of(self).resource_prefix}-{channel.workspace}-{channel.channel}",
            slack_workspace_id=channel.workspace,
            slack_channel_id=channel.channel,
            notification_topics=[self.topic],
            role=role,
        )


_PAGED_ANYWAY = "The alarm itself stays on, and is seen in the console and by `sluice status`, if a message is lost."


_PART = "Observability"


class ObservabilityPart(Part):
    """Run history and digests; alarms of every pipeline → composites → topic; dashboards and saved queries."""

    def __init__(self, scope: Construct, *, lake: LakePart, pipelines: Sequence[PipelinePart]) -> None:
        """Wire the parts together; alarms and dashboards come last: they show whatever was made before."""
        super().__init__(scope, _PART)
        self._pipelines = pipelines
        self._notifications = Notifications(self)
        topic = self._notifications.topic
        self._missed_calls = DeadLetters(self, "MissedCalls")
        self._run_history = RunHistory(self, lake, pipelines, topic)
        digests = Digests(self, lake, pipelines, topic=topic, missed_calls=self._missed_calls)
        self._functions = [function for each in pipelines for function in each.functions]
        self._functions += [lake.catalog.prepare_tables, self._run_history.function, digests.function]
        if mart := Mart.existing(self):
            self._functions.append(mart.prepare_mart)
        if self.stage.settings(Observability).alarms:
            self._build_alarms()
        self.publish(Topic=topic.topic_arn, DigestSources=digests.sources)

    def _build_alarms(self) -> None:
        own = self._raise_own_alarm()
        groups = [own]
        paging = list(own.raised)
        for each in self._pipelines:
            alarms = Alarms(self, each.name)
            each.raise_alarms(alarms)
            groups.append(alarms)
            paging.append(alarms.page(each.name, self._notifications.topic))
        dashboards = self._build_dashboards(paging, [alarm for alarms in groups for alarm in alarms.raised])
        queries = Construct(self, "Queries")
        saved = [*OF_ALL, *(query for each in self._pipelines for query in each.saved_queries)]
        save_queries(queries, saved, self._functions)
        watching: list[Construct] = [*groups, dashboards, queries]
        if self.stage.local:
            self._keep_out_of_local_cloud(watching)

    def _raise_own_alarm(self) -> Alarms:
        alarms = Alarms(self, _PART)
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
        alarms.notify(alarms.raised[0], self._notifications.topic)  # a composite of one alarm would only cost
        return alarms

    def _build_dashboards(self, paging: Sequence[cloudwatch.IAlarm], alarms: Sequence[cloudwatch.IAlarm]) -> Dashboards:
        ends = self._run_history.ends
        return Dashboards(
            self,
            pipelines=self._pipelines,
            functions=self._functions,
            queues={"ends of runs": ends.queue},
            dead_letters={"calls, observability": self._missed_calls, "ends of runs": ends.dead_letters},
            paging=paging,
            alarms=alarms,
        )

    def _keep_out_of_local_cloud(self, constructs: Sequence[Construct]) -> None:
        """Have resources made on AWS alone; the template holds them, so that their definitions can be read."""
        stack = Stack.of(self)
        condition = CfnCondition(stack, "OnAws", expression=Fn.condition_equals("local", "aws"))
        acknowledge(stack, "CloudFormation-Validate::W8003", "It is false on purpose.")
        for child in (child for construct in constructs for child in construct.node.find_all()):
            if isinstance(child, CfnResource):
                child.cfn_options.condition = condition
