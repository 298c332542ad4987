"""Triggers of functions and machines: events by way of a queue, and schedules."""

import json
from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.platform.functions import PythonFunction, allow
from infra.platform.machine import Machine
from infra.platform.stage_stack import PLAIN_HTTP, acknowledge, on_our_behalf, stage_of
from infra.stage import Batching


class SecureQueue(sqs.Queue):
    """An encrypted queue, over TLS only.

    That of a function hides a message six times as long as the function may take, as AWS advises, and hands it to the
    dead letter queue after `Stage.max_receives` deliveries.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function_timeout: Duration | None = None,
        dead_letters: sqs.IQueue | None = None,
    ) -> None:
        stage = stage_of(scope)
        hidden = Duration.seconds(6 * function_timeout.to_seconds()) if function_timeout else None
        kept = sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=stage.max_receives) if dead_letters else None
        super().__init__(
            scope,
            construct_id,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=not stage.local,
            retention_period=Duration.days(stage.queue_retention_days),
            visibility_timeout=hidden,
            dead_letter_queue=kept,
        )
        if stage.local:
            acknowledge(self, "AwsSolutions-SQS4", PLAIN_HTTP)


class DeadLetters(SecureQueue):
    """A queue of messages that need a person."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id)
        for finding in ("AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy"):
            acknowledge(self, finding, "This queue is the end of the line.")


class QueuedEvents(Construct):
    """Events reach a function in batches; those it cannot process are kept.

    They come from the default bus, if they match a `pattern`; without one, from what is told to send to `queue`.

    The function answers with the messages that failed. They come again `Stage.max_receives` times in all and then wait
    in `dead_letters`, from where they can be sent back to `queue` as they are.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: PythonFunction,
        batching: Batching,
        pattern: events.EventPattern | None = None,
        description: str = "",
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = DeadLetters(self, "DeadLetters")
        self.queue = SecureQueue(self, "Queue", function_timeout=function.timeout, dead_letters=self.dead_letters)
        if pattern:
            events.Rule(
                self,
                "Rule",
                description=description,
                event_pattern=pattern,
                targets=[targets.SqsQueue(self.queue, dead_letter_queue=self.dead_letters)],
            )
        kept = "A queue as a source takes no destination: what fails goes to its dead letter queue."
        acknowledge(function, "Serverless-LambdaEventSourceMappingDestination", kept)
        function.allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], [self.queue.queue_arn])
        function.function.add_event_source(
            sources.SqsEventSource(
                self.queue,
                batch_size=batching.messages,
                max_batching_window=Duration.seconds(batching.window_seconds),
                max_concurrency=batching.max_concurrency,
                report_batch_item_failures=True,
            )
        )


class Schedule(Construct):
    """Calls a machine or a function by a schedule expression in UTC, with a role that can do nothing else.

    A call that fails is tried again for an hour and then kept in `dead_letters`. `document` is the input of a function.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        expression: str,
        target: Machine | PythonFunction,
        dead_letters: sqs.IQueue,
        description: str,
        document: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        if isinstance(target, Machine):
            action, document = "states:StartExecution", {"started_by": "schedule"}
        else:
            action = "lambda:InvokeFunction"
        # The service names the group of a schedule, not the schedule.
        group = Stack.of(self).format_arn(service="scheduler", resource="schedule-group", resource_name="default")
        scheduler_service = iam.ServicePrincipal("scheduler.amazonaws.com", conditions=on_our_behalf(self, group))
        role = iam.Role(self, "Role", assumed_by=scheduler_service)
        allow(role, [action], [target.arn])
        allow(role, ["sqs:SendMessage"], [dead_letters.queue_arn])
        schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description=description,
            schedule_expression=expression,
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=target.arn,
                role_arn=role.role_arn,
                input=json.dumps(document) if document else None,
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=3600, maximum_retry_attempts=10
                ),
                dead_letter_config=scheduler.CfnSchedule.DeadLetterConfigProperty(arn=dead_letters.queue_arn),
            ),
        )
        schedule.node.add_dependency(role)


class AfterRuns(Construct):
    """Starts a machine when another one (ARN), of any pipeline, has succeeded; what cannot be started is kept."""

    def __init__(
        self, scope: Construct, construct_id: str, *, machine: str, target: Machine, dead_letters: sqs.IQueue
    ) -> None:
        super().__init__(scope, construct_id)
        rules = Stack.of(self).format_arn(service="events", resource="rule", resource_name="*")
        events_service = iam.ServicePrincipal("events.amazonaws.com", conditions={"ArnLike": {"aws:SourceArn": rules}})
        role = iam.Role(self, "Role", assumed_by=events_service)
        started = targets.SfnStateMachine(
            target.machine,
            dead_letter_queue=dead_letters,
            input=events.RuleTargetInput.from_object({"started_by": machine.rpartition(":")[2]}),
            role=role.without_policy_updates(),
        )
        allow(role, ["states:StartExecution"], [target.arn])
        rule = events.Rule(
            self,
            "Rule",
            description=f"Starts {target.kind} after every run that succeeded",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": ["SUCCEEDED"], "stateMachineArn": [machine]},
            ),
            targets=[started],
        )
        rule.node.add_dependency(role)
