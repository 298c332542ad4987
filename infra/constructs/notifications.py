"""Where a stage's messages to people go."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_chatbot as chatbot
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.constructs.findings import PLAIN_HTTP, acknowledge
from infra.stage import SlackChannel, Stage


class Notifications(Construct):
    """A topic, TLS only, with the people and the channel of `Stage.watch` behind it."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        """Build the topic and its subscriptions."""
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", display_name=f"Sluice {stage.name}", enforce_ssl=not stage.local)
        self._let_alarms_publish()
        if stage.local:
            acknowledge(self.topic, "AwsSolutions-SNS3", PLAIN_HTTP)
        for address in stage.watch.emails:
            self.topic.add_subscription(subscriptions.EmailSubscription(address))
        if stage.watch.slack:
            self._tell_channel(stage, stage.watch.slack)

    def _let_alarms_publish(self) -> None:
        # The policy of its own, which demands TLS, takes the place of the one that lets the account's alarms in.
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )

    def _tell_channel(self, stage: Stage, channel: SlackChannel) -> None:
        # What people type in the channel may read alarms and nothing else.
        role = iam.Role(self, "ChannelRole", assumed_by=iam.ServicePrincipal("chatbot.amazonaws.com"))
        chatbot.SlackChannelConfiguration(
            self,
            "Channel",
            slack_channel_configuration_name=f"{stage.resource_prefix}-watch",
            slack_workspace_id=channel.workspace,
            slack_channel_id=channel.channel,
            notification_topics=[self.topic],
            role=role,
        )
