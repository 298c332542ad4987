"""The topic of a stage's messages to people, its subscriptions and messages of failed executions."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.platform.machine import Machine
from infra.platform.observability.cloudwatch import execution_page
from infra.platform.observability.settings import Observability, SlackChannel
from infra.platform.stage_stack import PLAIN_HTTP, acknowledge, stage_of


class Notifications(Construct):
    """A topic, TLS only, and the people and the channel that the settings of observability name."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        stage = stage_of(self)
        self._settings = stage.settings(Observability)
        self.topic = sns.Topic(self, "Topic", display_name=f"Sluice {stage.name}", enforce_ssl=not stage.local)
        # The topic's own policy, which demands TLS, replaces the default one that lets the account's alarms publish.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        if stage.local:
            acknowledge(self.topic, "AwsSolutions-SNS3", PLAIN_HTTP)
        for address in self._settings.emails:
            subscription = self.topic.add_subscription(subscriptions.EmailSubscription(address))
            acknowledge(subscription, "Serverless-SNSRedrivePolicy", _PAGED_ANYWAY)
        if self._settings.slack:
            self._subscribe_channel(self._settings.slack)

    def notify_of_failures(self, machines: Sequence[Machine]) -> events.Rule:
        """Send a message for each execution that did not succeed, with its name and page, which no alarm can tell."""
        rule = events.Rule(
            self,
            "Failures",
            description="Executions that failed, ran out of time or were aborted",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [machine.arn for machine in machines],
                },
            ),
            targets=[targets.SnsTopic(self.topic, message=self._failure())],
        )
        acknowledge(rule, "Serverless-EventBusDLQ", _PAGED_ANYWAY)
        return rule

    def _failure(self) -> events.RuleTargetInput:
        name, status = events.EventField.from_path("$.detail.name"), events.EventField.from_path("$.detail.status")
        machine = events.EventField.from_path("$.detail.stateMachineArn")
        page = execution_page(events.EventField.from_path("$.detail.executionArn"))
        title = f"{status}: execution {name}"
        if not self._settings.slack:
            return events.RuleTargetInput.from_multiline_text(f"{title}\nof {machine}\n{page}")
        # The chat client shows nothing but what has its own form.
        content = {"title": title, "description": f"of {machine}\n{page}"}
        return events.RuleTargetInput.from_object({"version": "1.0", "source": "custom", "content": content})

    def _subscribe_channel(self, channel: SlackChannel) -> None:
        # Commands that people type in the channel may read alarms and nothing else.
        role = iam.Role(self, "ChannelRole", assumed_by=iam.ServicePrincipal("chatbot.amazonaws.com"))
        chatbot.SlackChannelConfiguration(
            self,
            "Channel",
            slack_channel_configuration_name=f"{stage_of(self).resource_prefix}-observability",
            slack_workspace_id=channel.workspace,
            slack_channel_id=channel.channel,
            notification_topics=[self.topic],
            role=role,
        )


_PAGED_ANYWAY = "The alarm itself stays on, and is seen in the console and by `sluice status`, if a message is lost."
