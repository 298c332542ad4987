"""State machines: a role with exact grants, a log, tasks that are retried, Distributed Maps over plan files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.platform.functions import SAMPLING_ACTIONS, TRACE_ACTIONS, TRACE_REASON, PythonFunction, allow
from infra.platform.lake_part import LakePart
from infra.platform.stage_stack import acknowledge, log_group, on_our_behalf, stage_of

FAILURE = "$.failure"
"""Path of the error and cause of a step that failed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Plan files under a prefix of the lake: the list is their member `items`, `key_path` leads to a file's key."""

    prefix: str
    key_path: str
    items: str


class _PlanReader(sfn.S3JsonItemReader):
    """Reads the list of a plan file; the CDK's own reader takes only files that are one array."""

    def __init__(self, bucket: s3.IBucket, plan: Plan) -> None:
        super().__init__(bucket=bucket, key=sfn.JsonPath.string_at(plan.key_path))
        self._items = plan.items

    def render(self, query_language: sfn.QueryLanguage | None = None) -> dict[str, Any]:
        """Return the ItemReader of the state."""
        rendered: dict[str, Any] = super().render(query_language)
        rendered["ReaderConfig"]["ItemsPointer"] = f"/{self._items}"
        return rendered


class Machine(Construct):
    """The state machine of a kind of runs; its physical name lets rights on it be granted before it exists.

    `kind` names the construct, too. Subclasses build their states with `call`, `each` and `failure`, which grant what
    the state needs, then the machine with `build`.
    """

    machine: sfn.StateMachine

    def __init__(self, scope: Construct, kind: str, lake: LakePart) -> None:
        name = kind.title().replace("_", "")
        # The CDK leaves a name out of an id where the one before ends with it.
        super().__init__(scope, f"{name}Machine" if scope.node.id.endswith(name) else name)
        self.kind = kind
        self._name = _name(self, kind)
        self._lake = lake
        self._steps: dict[str, PythonFunction] = {}
        self.arn = machine_arn(self, kind)
        self.executions_arn = self._states_arn("execution", f"{self._name}:*")
        # The vended prefix spares the account's log resource policy, which has room for a few groups only.
        self._log = log_group(self, name=f"/aws/vendedlogs/states/{self._name}")
        # A map's children run under the machine's ARN with more behind it.
        states = iam.ServicePrincipal("states.amazonaws.com", conditions=on_our_behalf(self, f"{self.arn}*"))
        self.role = iam.Role(self, "Role", assumed_by=states)
        allow(self.role, _LOG_ACTIONS, ["*"], "Log deliveries take no resource: they belong to the account.")
        allow(self.role, [*TRACE_ACTIONS, *SAMPLING_ACTIONS], ["*"], TRACE_REASON)
        self.children_arns: list[str] = []
        self.map_runs_arns: list[str] = []

    def build(self, chain: sfn.IChainable, *, comment: str, minutes: int) -> None:
        """Build the machine, which may run for so many minutes and call the functions of its states."""
        allow(self.role, ["lambda:InvokeFunction"], [step.arn for step in self._steps.values()])
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

    def _allow_map(self, label: str, plans_arn: str) -> None:
        of_map = f"{self._name}/{label}:*"
        self.children_arns = [self._states_arn("execution", of_map)]
        self.map_runs_arns = [self._states_arn("mapRun", of_map)]
        allow(self.role, ["s3:GetObject"], [plans_arn], "Every run has a plan file of its own.")
        allow(self.role, ["states:StartExecution"], [self.arn])
        known = ["states:DescribeExecution", "states:StopExecution"]
        allow(self.role, known, [self.executions_arn, *self.children_arns], NAMED_LATER)
        allow(self.role, ["states:RedriveExecution"], self.children_arns, NAMED_LATER)

    def call(
        self,
        name: str,
        function: PythonFunction,
        payload: Mapping[str, object] | None,
        failed: sfn.IChainable,
        result_path: str | None = sfn.JsonPath.DISCARD,
    ) -> tasks.LambdaInvoke:
        """Return a state that calls a function, with all of its input where no payload is given.

        The answer goes to `result_path`; None makes it the state's output.
        """
        self._steps[function.folder] = function
        task = tasks.LambdaInvoke(
            self,
            name,
            comment=function.purpose,
            lambda_function=function.function,
            payload=None if payload is None else sfn.TaskInput.from_object(payload),
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
        plan: Plan,
        concurrency: int,
        failed: sfn.IChainable,
        tolerates_failures: bool = False,
        item_selector: dict[str, str] | None = None,
    ) -> sfn.DistributedMap:
        """Return a Distributed Map: a child execution per item of a plan file, whose answers are dropped."""
        label = name.title().replace(" ", "")
        self._allow_map(label, f"{self._lake.bucket.bucket_arn}/{plan.prefix}*")
        each = sfn.DistributedMap(
            self,
            name,
            comment=comment,
            label=label,
            max_concurrency=concurrency,
            map_execution_type=sfn.StateMachineType.STANDARD,
            item_reader=_PlanReader(self._lake.bucket, plan),
            item_selector=item_selector,
            tolerated_failure_count=None if tolerates_failures else 0,
            tolerated_failure_percentage=100 if tolerates_failures else None,
            result_path=sfn.JsonPath.DISCARD,
        )
        twice = "The CDK demands an execution type of the processor, too, and then takes the map's."
        acknowledge(each, "@aws-cdk/aws-stepfunctions:propertyIgnored", twice)
        each.item_processor(one, mode=sfn.ProcessorMode.DISTRIBUTED, execution_type=sfn.ProcessorType.STANDARD)
        _retry(each, ["States.ItemReaderFailed"], attempts=5, interval_seconds=2)
        # Where failures are tolerated, the state that follows counts what is done: the map's own is not the machine's.
        ends = isinstance(failed, sfn.Fail)
        each.add_catch(failed, errors=["States.ALL"], result_path=FAILURE if ends else "$.not_done")
        return each

    def failure(self, name: str, comment: str, at: str = FAILURE) -> sfn.Fail:
        """Return a state that ends the execution with the error and cause found at a path."""
        return sfn.Fail(self, name, comment=comment, error_path=f"{at}.Error", cause_path=f"{at}.Cause")

    def _states_arn(self, resource: str, name: str) -> str:
        return _states_arn(self, resource, name)


def machine_arn(scope: Construct, kind: str) -> str:
    """Return the ARN of the stage's machine of a kind of runs, also of another pipeline's or of one to come."""
    return _states_arn(scope, "stateMachine", _name(scope, kind))


def _name(scope: Construct, kind: str) -> str:
    return f"{stage_of(scope).resource_prefix}-{kind}"


def _states_arn(scope: Construct, resource: str, name: str) -> str:
    return Stack.of(scope).format_arn(
        service="states", resource=resource, resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
    )


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
