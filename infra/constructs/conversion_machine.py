"""The Convert machine: from pending chunks to committed Parquet, one run at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import ArnFormat, Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.constructs.findings import acknowledge
from infra.constructs.log_group import log_group
from infra.constructs.permissions import SAMPLING_ACTIONS, TRACE_ACTIONS, TRACE_REASON, allow
from infra.constructs.plan_reader import PlanReader
from infra.constructs.python_function import PythonFunction
from infra.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionSteps:
    """The functions the machine calls, in order."""

    plan: PythonFunction
    convert: PythonFunction
    commit: PythonFunction
    profile: PythonFunction

    def __iter__(self) -> Iterator[PythonFunction]:
        """Yield each function."""
        return iter((self.plan, self.convert, self.commit, self.profile))


class ConversionMachine(Construct):
    """Plan, batches in parallel, commit, profile; its states read as sentences in the console's graph.

    The machine has a physical name, so that rights on it and on its executions can be granted before it exists.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        lake: s3.IBucket,
        lake_arn: str,
        steps: ConversionSteps,
    ) -> None:
        """Build the role, then the machine that depends on it."""
        super().__init__(scope, construct_id)
        self._stage = stage
        self._lake = lake
        self._steps = steps
        self._name = f"{stage.resource_prefix}-convert"
        self.arn = self._states_arn("stateMachine", self._name)
        # The vended prefix spares the account's log resource policy, which has room for a few groups only.
        log = log_group(self, "Log", stage, name=f"/aws/vendedlogs/states/{self._name}")
        self._role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("states.amazonaws.com"))
        self._grant(lake_arn)
        self.machine = self._build_machine(log)

    def _build_machine(self, log: logs.LogGroup) -> sfn.StateMachine:
        machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=self._name,
            comment="Turns committed clean events into Parquet tables, counts them, and publishes how it went.",
            definition_body=sfn.DefinitionBody.from_chainable(self._build_chain()),
            # What the CDK would grant on its own holds wildcards over functions; the exact grants are in _grant.
            role=self._role.without_policy_updates(),
            timeout=Duration.minutes(self._stage.conversion_timeout_minutes),
            tracing_enabled=True,
            logs=sfn.LogOptions(destination=log, level=sfn.LogLevel.ALL, include_execution_data=False),
        )
        # It would be left over, attached to no role.
        machine.node.try_remove_child("DistributedMapPolicy")
        machine.node.add_dependency(self._role)
        return machine

    def _build_chain(self) -> sfn.Chain:
        failed = _failure(self, "Conversion failed", "The run stays claimed; the next run finishes it first.")
        run = sfn.TaskInput.from_object({"plan_key": sfn.JsonPath.string_at("$.plan_key")})
        plan = self._call("Plan the run", self._steps.plan, _EXECUTION, failed, output_path="$.Payload")
        commit = self._call("Commit the run", self._steps.commit, run, failed)
        profile = self._call("Publish the profiling log", self._steps.profile, run, failed)
        convert = self._build_map(failed)
        convert.next(commit).next(profile).next(sfn.Succeed(self, "Run converted"))
        return plan.next(self._build_question(convert))

    def _build_question(self, convert: sfn.IChainable) -> sfn.Choice:
        question = sfn.Choice(self, "Is there anything to convert?", comment="What the plan says")
        question.when(_status("planned"), convert)
        question.when(_status("busy"), sfn.Succeed(self, "Another run is converting"))
        question.when(_status("nothing_to_do"), sfn.Succeed(self, "Nothing to convert"))
        unknown = "The plan's status is none of planned, busy and nothing_to_do."
        question.otherwise(sfn.Fail(self, "Plan not understood", error="UnknownPlanStatus", cause=unknown))
        return question

    def _build_map(self, failed: sfn.Fail) -> sfn.DistributedMap:
        batches = sfn.DistributedMap(
            self,
            "Convert the batches",
            comment="One child execution per batch of the plan file; the first that fails for good ends the run",
            label=_MAP_LABEL,
            max_concurrency=self._stage.convert_max_concurrency,
            map_execution_type=sfn.StateMachineType.STANDARD,
            item_reader=PlanReader(bucket=self._lake, key_path="$.plan_key", items_pointer="/batches"),
            tolerated_failure_count=0,
            result_path=sfn.JsonPath.DISCARD,
        )
        lost = _failure(self, "Batch not converted", "The batch left no receipt; a later run converts it again.")
        item = sfn.TaskInput.from_json_path_at("$")
        one = self._call("Convert one batch", self._steps.convert, item, lost, output_path="$.Payload")
        twice = "The CDK demands an execution type of the processor, too, and then takes the map's."
        acknowledge(batches, "@aws-cdk/aws-stepfunctions:propertyIgnored", twice)
        batches.item_processor(one, mode=sfn.ProcessorMode.DISTRIBUTED, execution_type=sfn.ProcessorType.STANDARD)
        _retry(batches, ["States.ItemReaderFailed"], attempts=5, interval_seconds=2)
        batches.add_catch(failed, errors=["States.ALL"], result_path="$.failure")
        return batches

    def _call(
        self, name: str, function: PythonFunction, payload: sfn.TaskInput, failed: sfn.Fail, output_path: str = ""
    ) -> tasks.LambdaInvoke:
        """A state that calls a function; it keeps its input as its output unless `output_path` says otherwise."""
        task = tasks.LambdaInvoke(
            self,
            name,
            comment=function.purpose,
            lambda_function=function.function,
            payload=payload,
            output_path=output_path or None,
            result_path=None if output_path else sfn.JsonPath.DISCARD,
            retry_on_service_exceptions=False,
            task_timeout=sfn.Timeout.duration(function.timeout.plus(Duration.seconds(10))),
        )
        _retry(task, _LAMBDA_TROUBLE, attempts=6, interval_seconds=2)
        # Every step may be repeated: what it wrote is found or overwritten, never added to.
        _retry(task, ["States.TaskFailed", "States.Timeout"], attempts=2, interval_seconds=5)
        task.add_catch(failed, errors=["States.ALL"], result_path="$.failure")
        return task

    def _grant(self, lake_arn: str) -> None:
        executions = self._states_arn("execution", f"{self._name}:*")
        children = self._states_arn("execution", f"{self._name}/{_MAP_LABEL}:*")
        allow(self._role, ["lambda:InvokeFunction"], [step.function.function_arn for step in self._steps])
        allow(self._role, ["s3:GetObject"], [f"{lake_arn}/runs/*"], "Every run has a plan file of its own.")
        allow(self._role, ["states:StartExecution"], [self.arn])
        allow(self._role, _WATCH, [executions, children], _NAMED_LATER)
        allow(self._role, ["states:RedriveExecution"], [children], _NAMED_LATER)
        allow(self._role, _LOG_ACTIONS, ["*"], "Log deliveries take no resource: they belong to the account.")
        allow(self._role, [*TRACE_ACTIONS, *SAMPLING_ACTIONS], ["*"], TRACE_REASON)
        self._steps.plan.allow(["states:DescribeExecution"], [executions], _NAMED_LATER)

    def _states_arn(self, resource: str, name: str) -> str:
        return Stack.of(self).format_arn(
            service="states", resource=resource, resource_name=name, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )


def _failure(scope: Construct, name: str, comment: str) -> sfn.Fail:
    return sfn.Fail(scope, name, comment=comment, error_path="$.failure.Error", cause_path="$.failure.Cause")


def _status(value: str) -> sfn.Condition:
    return sfn.Condition.string_equals("$.status", value)


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


_EXECUTION = sfn.TaskInput.from_object(
    {
        "execution": sfn.JsonPath.string_at("$$.Execution.Id"),
        "started_at": sfn.JsonPath.string_at("$$.Execution.StartTime"),
    }
)
_LAMBDA_TROUBLE = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]
_MAP_LABEL = "ConvertTheBatches"
_WATCH = ["states:DescribeExecution", "states:StopExecution"]
_NAMED_LATER = "Executions get their names when they start; the machine's is fixed."
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
