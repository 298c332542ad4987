"""The Convert machine: from pending chunks to committed Parquet, one run at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.platform.machine import NAMED_LATER, Machine
from infra.platform.plan_reader import PlanReader
from infra.platform.python_function import PythonFunction
from infra.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversionSteps:
    """The functions the machine calls, in order; the last one in stages with a search cluster only."""

    plan: PythonFunction
    convert: PythonFunction
    commit: PythonFunction
    profile: PythonFunction
    load: PythonFunction | None = None

    def __iter__(self) -> Iterator[PythonFunction]:
        """Yield each function."""
        yield from (self.plan, self.convert, self.commit, self.profile)
        if self.load:
            yield self.load


class ConversionMachine(Machine):
    """Plan, groups of batches in parallel, commit, profile; its states read as sentences in the console's graph."""

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
        """Grant what the machine and its planner need, then build it."""
        super().__init__(scope, construct_id, stage=stage, name="convert")
        self._lake = lake
        self._steps = steps
        self.grant(steps, f"{lake_arn}/runs/*", _MAP)
        steps.plan.allow(["states:DescribeExecution"], [self.executions_arn], NAMED_LATER)
        comment = "Turns committed clean events into Parquet tables, counts them, and publishes how it went."
        minutes = stage.conversion_timeout_minutes + (_LOADING_MINUTES if steps.load else 0)
        self.build(self._build_chain(), comment=comment, minutes=minutes)

    def _build_chain(self) -> sfn.Chain:
        failed = self.failure("Conversion failed", "The run stays claimed; the next run finishes it first.")
        run = sfn.TaskInput.from_object({"plan_key": sfn.JsonPath.string_at("$.plan_key")})
        plan = self.call("Plan the run", self._steps.plan, _EXECUTION, failed, result_path=None)
        commit = self.call("Commit the run", self._steps.commit, run, failed)
        profile = self.call("Publish the profiling log", self._steps.profile, run, failed)
        convert = self._build_map(failed)
        convert.next(commit).next(profile)
        if self._steps.load:
            profile.next(self._build_load(_LOAD_THE_RUN, sfn.Succeed(self, "Run converted")))
        return plan.next(self._build_question(convert))

    def _build_question(self, convert: sfn.IChainable) -> sfn.Choice:
        question = sfn.Choice(self, "Is there anything to convert?", comment="What the plan says")
        question.when(_status("planned"), convert)
        question.when(_status("busy"), sfn.Succeed(self, "Another run is converting"))
        nothing = sfn.Succeed(self, "Nothing to convert")
        question.when(_status("nothing_to_do"), self._build_load(_LOAD_THE_REST, nothing))
        unknown = "The plan's status is none of planned, busy and nothing_to_do."
        question.otherwise(sfn.Fail(self, "Plan not understood", error="UnknownPlanStatus", cause=unknown))
        return question

    def _build_load(self, name: str, done: sfn.Succeed) -> sfn.IChainable:
        """A state that brings what is missing into the search cluster and ends well, however that goes."""
        if not self._steps.load:
            return done
        return self.call(name, self._steps.load, sfn.TaskInput.from_object({}), done).next(done)

    def _build_map(self, failed: sfn.Fail) -> sfn.DistributedMap:
        lost = self.failure("Batch not converted", "It left no receipt; a later run goes on there.")
        return self.each(
            _MAP,
            self.call("Convert a group of batches", self._steps.convert, None, lost),
            comment="One child execution per group of the plan's batches; the first that fails for good ends the run",
            reader=PlanReader(bucket=self._lake, key_path="$.plan_key", items_pointer="/batches"),
            concurrency=self.stage.convert_max_concurrency,
            failed=failed,
        )


def _status(value: str) -> sfn.Condition:
    return sfn.Condition.string_equals("$.status", value)


_EXECUTION = sfn.TaskInput.from_object(
    {
        "execution": sfn.JsonPath.string_at("$$.Execution.Id"),
        "started_at": sfn.JsonPath.string_at("$$.Execution.StartTime"),
    }
)
_MAP = "Convert the batches"
_LOAD_THE_RUN = "Load the profiling log into the search cluster"
_LOAD_THE_REST = "Load what the search cluster still misses"
_LOADING_MINUTES = 20  # for every attempt of the last state: a slow cluster must not end a run that is converted
