"""The Convert machine: from pending chunks to committed Parquet, one run at a time."""

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.event_files.functions import RUN_FOLDERS, EventFunctions
from infra.event_files.settings import EventFiles
from infra.platform.functions import PythonFunction
from infra.platform.machine import NAMED_LATER, Machine, Plan
from infra.platform.stage_stack import stage_of
from sluice.event_files.run_summary import CONVERT


class ConversionMachine(Machine):
    """Plan, groups of batches in parallel, commit, profile; its states read as sentences in the console's graph."""

    def __init__(self, scope: Construct, functions: EventFunctions, load_search: PythonFunction | None) -> None:
        """Build the machine; `load_search` is its last step in stages with a search cluster."""
        super().__init__(scope, CONVERT, functions.lake)
        self._functions = functions
        self._load_search = load_search
        self._settings = stage_of(self).settings(EventFiles)
        functions.plan_conversion.allow(["states:DescribeExecution"], [self.executions_arn], NAMED_LATER)
        comment = "Turns committed clean events into Parquet tables, counts them, and publishes the outcome."
        minutes = self._settings.conversion_timeout_minutes + (_LOADING_MINUTES if load_search else 0)
        self.build(self._build_chain(), comment=comment, minutes=minutes)

    def _build_chain(self) -> sfn.Chain:
        failed = self.failure("Conversion failed", "What it planned stays pending; the next run goes on with it.")
        run = {"plan_key": sfn.JsonPath.string_at("$.plan_key")}
        plan = self.call("Plan the run", self._functions.plan_conversion, _EXECUTION, failed, result_path=None)
        owned = run | _EXECUTION
        commit = self.call("Commit the run", self._functions.commit_conversion, owned, failed, result_path=None)
        profile = self.call("Publish the profiling log", self._functions.profile_run, run, failed)
        convert = self._build_map(failed)
        comment = "Else its chunks are left out and wait, and what else was converted with them is converted again"
        again = sfn.Choice(self, "Was every batch converted?", comment=comment)
        convert.next(commit).next(again.when(_status("planned_again"), convert).otherwise(profile))
        if self._load_search:
            profile.next(self._build_load(_LOAD_THE_RUN, sfn.Succeed(self, "Run converted")))
        return plan.next(self._build_question(convert))

    def _build_question(self, convert: sfn.IChainable) -> sfn.Choice:
        question = sfn.Choice(self, "Is there anything to convert?", comment="Status of the plan")
        question.when(_status("planned"), convert)
        question.when(_status("busy"), sfn.Succeed(self, "Another run is converting"))
        nothing = sfn.Succeed(self, "Nothing to convert")
        question.when(_status("nothing_to_do"), self._build_load(_LOAD_THE_REST, nothing))
        unknown = "The plan's status is none of planned, busy and nothing_to_do."
        question.otherwise(sfn.Fail(self, "Plan not understood", error="UnknownPlanStatus", cause=unknown))
        return question

    def _build_load(self, name: str, done: sfn.Succeed) -> sfn.IChainable:
        """Return a state that loads what the search cluster misses; its failure does not fail the run."""
        if not self._load_search:
            return done
        return self.call(name, self._load_search, {}, done).next(done)

    def _build_map(self, failed: sfn.Fail) -> sfn.DistributedMap:
        lost = self.failure("Batch not converted", "It left no receipt; the commit leaves its chunks out.")
        return self.each(
            "Convert the batches",
            self.call("Convert a group of batches", self._functions.convert_batch, None, lost),
            comment="One child execution per group of batches; the commit counts, so none of them ends the run",
            plan=Plan(f"{RUN_FOLDERS}/plan-", "$.plan_key", "groups"),
            concurrency=self._settings.convert_max_concurrency,
            failed=failed,
            tolerates_failures=True,
        )


def _status(value: str) -> sfn.Condition:
    return sfn.Condition.string_equals("$.status", value)


_EXECUTION = {"execution": sfn.JsonPath.string_at("$$.Execution.Id")}
_LOAD_THE_RUN = "Load the profiling log into the search cluster"
_LOAD_THE_REST = "Load what the search cluster still misses"
_LOADING_MINUTES = 20  # for every attempt of the last state: a slow cluster must not end a run that is converted
