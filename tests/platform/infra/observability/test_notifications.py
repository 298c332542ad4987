"""Messages to people: the topic, its subscriptions, and the text about an execution that failed."""

import json
from typing import Any

from infra.platform.observability.settings import Observability
from sluice.pipelines import RUN_KINDS
from tests.platform.infra.observability.observability_template import ObservabilityTemplate
from tests.support.synthesis import Synthesis, listed, text

TOPIC, SUBSCRIPTION = "AWS::SNS::Topic", "AWS::SNS::Subscription"
RULE, CHANNEL = "AWS::Events::Rule", "AWS::Chatbot::SlackChannelConfiguration"


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


def test_the_topic_takes_tls_only_and_messages_of_this_accounts_alarms(stage: Synthesis) -> None:
    statements = _policy(stage)
    (denied,) = [each for each in statements if each["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (alarms,) = [each for each in statements if each.get("Principal") == {"Service": "cloudwatch.amazonaws.com"}]
    assert listed(alarms["Action"]) == ["sns:Publish"]
    assert alarms["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}


def test_every_machine_that_fails_is_told_of(prd: Synthesis) -> None:
    rule = prd.template.properties(RULE, "ObservabilityNotificationsFailures")
    assert rule["EventPattern"]["detail-type"] == ["Step Functions Execution Status Change"]
    assert rule["EventPattern"]["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]
    machines = {text(arn).rpartition("-")[2] for arn in rule["EventPattern"]["detail"]["stateMachineArn"]}
    assert machines == RUN_KINDS.keys()
    (target,) = rule["Targets"]
    assert ObservabilityTemplate(prd).type_of(ObservabilityTemplate(prd).resolved(target["Arn"])) == TOPIC
    assert {"Service": "events.amazonaws.com"} in [each.get("Principal") for each in _policy(prd)]


def test_a_failure_is_told_as_text_with_a_link(prd: Synthesis) -> None:
    lines = _message(prd).split("\n")
    assert lines[0] == '"<detail-status>: execution <detail-name>"'
    assert lines[-1].endswith('/states/home?region=<AWS::Region>#/v2/executions/details/<detail-executionArn>"')
    assert all(line.startswith('"') and line.endswith('"') for line in lines), "EventBridge takes quoted lines only"


def test_a_chat_shows_nothing_but_its_own_form(odd: Synthesis) -> None:
    message = json.loads(_message(odd))
    assert (message["version"], message["source"]) == ("1.0", "custom")
    assert message["content"]["title"] == "<detail-status>: execution <detail-name>"


def test_dev_sends_nothing(dev: Synthesis) -> None:
    assert not [name for name in dev.observability.of_type(RULE) if name.startswith("NotificationsFailures")]


def _policy(stage: Synthesis) -> list[dict[str, Any]]:
    (policy,) = stage.observability.of_type("AWS::SNS::TopicPolicy").values()
    statements: list[dict[str, Any]] = policy["Properties"]["PolicyDocument"]["Statement"]
    return statements


def _message(stage: Synthesis) -> str:
    (target,) = stage.observability.properties(RULE, "NotificationsFailures")["Targets"]
    return text(target["InputTransformer"]["InputTemplate"])
