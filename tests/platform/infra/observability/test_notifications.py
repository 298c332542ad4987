"""Messages to people: the topic, who may publish to it, and its subscriptions."""

from collections.abc import Callable
from typing import Any

import pytest

from infra.platform.observability.settings import Observability
from tests.support.synthesis import Synthesis, listed, text

SUBSCRIPTION, CHANNEL = "AWS::SNS::Subscription", "AWS::Chatbot::SlackChannelConfiguration"


def test_nobody_is_told_unless_a_stage_says_whom(stage: Synthesis) -> None:
    assert not stage.observability.of_type(SUBSCRIPTION)
    assert not stage.observability.of_type(CHANNEL)


def test_people_by_e_mail(odd: Synthesis) -> None:
    subscribed = [each["Properties"] for each in odd.observability.of_type(SUBSCRIPTION).values()]
    assert {(each["Protocol"], each["Endpoint"]) for each in subscribed} == {
        ("email", address) for address in odd.stage.settings(Observability).emails
    }
    assert all(text(each["TopicArn"]).startswith("<NotificationsTopic") for each in subscribed)


def test_a_channel_that_may_do_nothing(odd: Synthesis) -> None:
    (channel,) = odd.observability.of_type(CHANNEL).values()
    assert channel["Properties"]["SlackWorkspaceId"] == "T01"
    assert channel["Properties"]["SlackChannelId"] == "C01"
    (topic,) = channel["Properties"]["SnsTopicArns"]
    assert text(topic).startswith("<NotificationsTopic")
    assert odd.observability.statements("NotificationsChannelRole") == []


def test_the_topic_takes_tls_only_and_messages_of_this_stages_alarms(stage: Synthesis) -> None:
    statements = _policy(stage)
    (denied,) = [each for each in statements if each["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (alarms,) = [each for each in statements if each.get("Principal") == {"Service": "cloudwatch.amazonaws.com"}]
    assert listed(alarms["Action"]) == ["sns:Publish"]
    assert alarms["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    source = text(alarms["Condition"]["ArnLike"]["aws:SourceArn"])
    assert source.endswith(f":cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:{stage.stage.stack_name}-*")


@pytest.mark.parametrize(("name", "told"), [("prd", True), ("dev", False)])
def test_failed_runs_are_told_where_a_stage_pages(
    synthesis_of: Callable[[str], Synthesis], name: str, told: bool
) -> None:
    stage = synthesis_of(name)
    topic = text(stage.function("record_run")["Environment"]["Variables"]["TOPIC"])
    assert ("NotificationsTopic" in topic) == told


def _policy(stage: Synthesis) -> list[dict[str, Any]]:
    (policy,) = stage.observability.of_type("AWS::SNS::TopicPolicy").values()
    statements: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return statements
