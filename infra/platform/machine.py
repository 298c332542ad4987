"""What all state machines here have in common: a role with exact grants, a log, patient tasks, maps over plan files."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.platform.log_group import log_group
from infra.platform.nag_suppressions import acknowledge
from infra.platform.permissions import SAMPLING_ACTIONS, TRACE_ACTIONS, TRACE_REASON, allow
from infra.platform.plan_reader import PlanReader
from infra.platform.python_function import PythonFunction
from infra.stage import Stage

FAILURE = "$.failure"
"""Where a step that failed leaves its error and cause."""


class Machine(Construct):
    """A state machine with a physical name, so that rights on it and on its executions can be granted before it exists.

    Subclasses build their states with `call`, `each` and `failure`, then the machine with `build`.
    """

    machine: sfn.StateMachine
    children_arn: str
    map_runs_arn: str

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage, name: str) -> None:
        """Build the log and the role."""
        super().__init__(scope, construct_id)
        self.stage = stage
        self._name = f"{stage.resource_prefix}-{name}"
        self.arn = self._states_arn("stateMachine", self._name)
        self.executions_arn = self._states_arn("execution", f"{self._name}:*")
        # The vended prefix spares the account's log resource policy, which has room for a few groups only.
        self._log = log_group(self, "Log", stage, name=f"/aws/vendedlogs/states/{self._name}")
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        allow(self.role, _LOG_ACTIONS, ["*"], "Log deliveries take no resource: they belong to the account.")
        allow(self.role, [*TRACE_ACTIONS, *SAMPLING_ACTIONS], ["*"], TRACE_REASON)

    def build(self, chain: sfn.IChainable, *, comment: str, minutes: int) -> None:
        """Build the machine, which may run for so many minutes."""
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=self._name,
            comment=comment,
            definition_body=sfn.DefinitionBody.from_chainable(chain),
            # What the CDK would grant on its own holds wildcards over functions.
            role=self.role.without_policy_updates(),
            timeout=Duration.minutes(minutes),
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=self._log, level=sfn.LogLevel.ALL, include_execution_data=False),
        )
        # It would be left over, attached to no role.
        self.machine.node.try_remove_child("DistributedMapPolicy")
        self.machine.node.add_dependency(self.role)

    def grant(self, steps: Iterable[PythonFunction], plans_arn: str, map_name: str) -> None:
        """Let the machine call its functions, read its plan files, and run its map."""
        of_map = f"{self._name}/{map_label(map_name)}:*"
        self.children_arn = self._states_arn("execution", of_map)
        self.map_runs_arn = self._states_arn("mapRun", of_map)
        allow(self.role, ["lambda:InvokeFunction"], [step.function.function_arn for step in steps])
        allow(self.role, ["s3:GetObject"], [plans_arn], "Every run has a plan file of its own.")
        allow(self.role, ["states:StartExecution"], [self.arn])
        allow(self.role, _WATCH, [self.executions_arn, self.children_arn], NAMED_LATER)
        allow(self.role, ["states:RedriveExecution"], [self.children_arn], NAMED_LATER)

    def call(
        self,
        name: str,
        function: PythonFunction,
        payload: sfn.TaskInput | None,
        failed: sfn.IChainable,
        result_path: str | None = sfn.JsonPath.DISCARD,
    ) -> tasks.LambdaInvoke:
        """A state that calls a function, with all of its input where no payload is given.

        The answer goes to `result_path`; None makes it the state's output.
        """
        task = tasks.LambdaInvoke(
            self,
            name,
            comment=function.purpose,
            lambda_function=function.function,
            payload=payload,
            payload_response_only=True,
            result_path=result_path,
            retry_on_service_exceptions=False,
            task_timeout=sfn.Timeout.duration(function.timeout.plus(Duration.seconds(10))),
        )
        _retry(task, _LAMBDA_TROUBLE, attempts=6, interval_seconds=2)
        # Every step may be repeated: what it wrote is found or overwritten, never added to.
        _retry(task, ["States.TaskFailed", "States.Timeout"], attempts=2, interval_seconds=5)
        task.add_catch(failed, errors=["States.ALL"], result_path=FAILURE)
        return task

    def each(
        self,
        name: str,
        one: sfn.IChainable,
        *,
        comment: str,
        reader: PlanReader,
        concurrency: int,
        failed: sfn.IChainable,
        tolerates_failures: bool = False,
        item_selector: dict[str, str] | None = None,
    ) -> sfn.DistributedMap:
        """A Distributed Map over a plan file: one child execution per item, whose answers nobody keeps."""
        items = sfn.DistributedMap(
            self,
            name,
            comment=comment,
            label=map_label(name),
            max_concurrency=concurrency,
            map_execution_type=sfn.StateMachineType.STANDARD,
            item_reader=reader,
            item_selector=item_selector,
            tolerated_failure_count=None if tolerates_failures else 0,
            tolerated_failure_percentage=100 if tolerates_failures else None,
            result_path=sfn.JsonPath.DISCARD,
        )
        twice = "The CDK demands an execution type of the processor, too, and then takes the map's."
        acknowledge(items, "@aws-cdk/aws-stepfunctions:propertyIgnored", twice)
        items.item_processor(one, mode=sfn.ProcessorMode.DISTRIBUTED, execution_type=sfn.ProcessorType.STANDARD)
        _retry(items, ["States.ItemReaderFailed"], attempts=5, interval_seconds=2)
        # Where failures are tolerated, the state that follows counts what is done: the map's own is not the machine's.
        items.add_catch(failed, errors=["States.ALL"], result_path="$.not_done" if tolerates_failures else FAILURE)
        return items

    def failure(self, name: str, comment: str, at: str = FAILURE) -> sfn.Fail:
        """A state that ends the execution with the error and cause found at a path."""
        return sfn.Fail(self, name, comment=comment, error_path=f"{at}.Error", cause_path=f"{at}.Cause")

    def _states_arn(self, resource: str, name: str) -> str:
        return Stack.of(self).format_arn(
            service="states", resource=resource, resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )


def map_label(name: str) -> str:
    """The part of child executions' ARNs that names their map."""
    return name.title().replace(" ", "")


def _retry(
    state: tasks.LambdaInvoke | sfn.DistributedMap, errors: list[str], *, attempts: int, interval_seconds: int
) -> None:
    state.add_retry(
        errors=errors,
        max_attempts=attempts,
        interval=Duration.seconds(interval_seconds),
        backoff_rate=2,
        max_delay=Duration.seconds(60),
        jitter_strategy=sfn.JitterType.FULL,
    )


NAMED_LATER = "Executions get their names when they start; the machine's is fixed."
_WATCH = ["states:DescribeExecution", "states:StopExecution"]
_LAMBDA_TROUBLE = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]
_LOG_ACTIONS = [
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
]
