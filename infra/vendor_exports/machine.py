"""The Export machine: from the hour's job to the proof that all of it arrived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields

from aws_cdk import Duration
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.platform.machine import FAILURE, NAMED_LATER, Machine
from infra.platform.plan_reader import PlanReader
from infra.platform.python_function import PythonFunction
from infra.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSteps:
    """The functions the machine calls, in order."""

    begin: PythonFunction
    trigger: PythonFunction
    check_job: PythonFunction
    list_files: PythonFunction
    copy: PythonFunction
    check_delivery: PythonFunction
    close: PythonFunction
    observe: PythonFunction

    def __iter__(self) -> Iterator[PythonFunction]:
        """Yield each function."""
        return (getattr(self, field.name) for field in fields(self))


class ExportMachine(Machine):
    """Begin, trigger, wait, list, copy, check, close, observe; whatever fails, the slot's account is recorded."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        lake: s3.IBucket,
        lake_arn: str,
        steps: ExportSteps,
    ) -> None:
        """Grant what the machine and its first step need, then build it."""
        super().__init__(scope, construct_id, stage=stage, name="export")
        self._lake = lake
        self._steps = steps
        self._settings = stage.exports
        self.grant(steps, f"{lake_arn}/runs/exports/*", _MAP)
        steps.begin.allow(["states:DescribeExecution"], [self.executions_arn], NAMED_LATER)
        comment = "Has the vendor export the hour, copies every file, and proves that all of them arrived."
        self.build(self._build_chain(), comment=comment, minutes=self._settings.timeout_minutes)

    def _build_chain(self) -> sfn.IChainable:
        closing = self._build_closing()
        payload = {"export": _EXPORT, "waited_seconds": sfn.JsonPath.number_at("$.trigger.waited_seconds")}
        trigger = self._step("Trigger the job", self._steps.trigger, payload, closing, "$.trigger")
        checking = self._build_checking(trigger, closing)
        triggering = trigger.next(self._build_trigger_question(trigger, checking, closing))
        failed = self.failure("Export not begun", "No slot was taken: nothing was asked of the vendor.")
        begin = self.call("Begin the export", self._steps.begin, _EXECUTION, failed, result_path=None)
        question = sfn.Choice(self, "Is the slot free?", comment="One execution works on a slot at a time")
        question.when(_says("$.decision", "trigger"), triggering)
        question.when(_says("$.decision", "resume"), checking)
        question.when(_says("$.decision", "busy"), sfn.Succeed(self, "Another run has the slot"))
        unknown = "The decision is none of trigger, resume and busy."
        question.otherwise(sfn.Fail(self, "Decision not understood", error="UnknownDecision", cause=unknown))
        return begin.next(question)

    def _build_trigger_question(
        self, trigger: sfn.IChainable, checking: sfn.IChainable, closing: sfn.IChainable
    ) -> sfn.Choice:
        until = sfn.Wait(
            self,
            "Wait until the vendor allows it",
            comment="The vendor takes one job an hour and says when it takes the next",
            time=sfn.WaitTime.seconds_path("$.trigger.wait_seconds"),
        )
        question = sfn.Choice(self, "Did the vendor take the job?", comment="It takes one an hour")
        question.when(_says("$.trigger.turn", "accepted"), self._build_first_wait(checking))
        question.when(_says("$.trigger.turn", "wait"), until.next(trigger))
        return question.otherwise(closing)

    def _build_first_wait(self, checking: sfn.IChainable) -> sfn.IChainable:
        wait = sfn.Wait(
            self,
            "Wait for the job to begin",
            comment="No job is complete sooner",
            time=sfn.WaitTime.duration(Duration.seconds(self._settings.first_wait_seconds)),
        )
        return wait.next(checking)

    def _build_checking(self, trigger: sfn.IChainable, closing: sfn.IChainable) -> sfn.IChainable:
        payload = {
            "export": _EXPORT,
            "triggered": sfn.JsonPath.string_at("$.trigger.turn"),
            **{name: sfn.JsonPath.number_at(f"$.check.{name}") for name in ("polls", "unknown")},
        }
        check = self._step("Check the job", self._steps.check_job, payload, closing, "$.check")
        wait = sfn.Wait(
            self,
            "Wait for the job",
            comment="The vendor replicates for 15 to 25 minutes",
            time=sfn.WaitTime.duration(Duration.seconds(self._settings.poll_seconds)),
        )
        question = sfn.Choice(self, "Is the job complete?", comment="Unknown words mean not yet, until the deadline")
        question.when(_says("$.check.turn", "complete"), self._build_copying(closing))
        question.when(_says("$.check.turn", "wait"), wait.next(check))
        question.when(_says("$.check.turn", "lost"), trigger)
        question.otherwise(closing)
        return check.next(question)

    def _build_copying(self, closing: sfn.IChainable) -> sfn.IChainable:
        payload = {"export": _EXPORT, "round": sfn.JsonPath.number_at("$.listing.round")}
        listing = self._step("List the files", self._steps.list_files, payload, closing, "$.listing")
        proof = self._step("Check that all arrived", self._steps.check_delivery, payload, closing, "$.proof")
        proof.next(self._build_proof_question(listing, closing))
        wait = sfn.Wait(
            self,
            "Wait for the list to fill",
            comment="A complete job has files: the vendor's list may be late",
            time=sfn.WaitTime.duration(Duration.seconds(self._settings.poll_seconds)),
        )
        question = sfn.Choice(self, "Are there files?", comment="An empty list is no delivery")
        question.when(_says("$.listing.turn", "files"), self._build_map(proof).next(proof))
        question.when(_says("$.listing.turn", "nothing"), wait.next(listing))
        question.otherwise(closing)
        return listing.next(question)

    def _build_proof_question(self, listing: sfn.IChainable, closing: sfn.IChainable) -> sfn.IChainable:
        question = sfn.Choice(self, "Did all arrive?", comment="What is missing is fetched again, by new addresses")
        return question.when(_says("$.proof.turn", "again"), listing).otherwise(closing)

    def _build_map(self, proof: sfn.IChainable) -> sfn.DistributedMap:
        lost = self.failure("Batch not copied", "What it copied stays; the check finds what is missing.")
        return self.each(
            _MAP,
            self.call("Copy one batch of files", self._steps.copy, None, lost),
            comment="One child execution per batch of the plan; the check that follows counts, so none of them ends it",
            reader=PlanReader(bucket=self._lake, key_path="$.listing.plan_key", items_pointer="/batches"),
            concurrency=self._settings.copy_max_concurrency,
            failed=proof,
            tolerates_failures=True,
            item_selector={"export.$": "$.export", "batch.$": "$$.Map.Item.Value"},
        )

    def _build_closing(self) -> sfn.IChainable:
        lost = self.failure(
            "Export not closed", "The account is not recorded; the slot is free when its lease is over."
        )
        close = self.call("Close the export", self._steps.close, None, lost, result_path="$.account")
        question = self._build_end()
        slots = sfn.TaskInput.from_object({"slots": sfn.JsonPath.array(sfn.JsonPath.string_at("$.export.slot"))})
        observe = self.call("Observe the delivery", self._steps.observe, slots, question)
        return close.next(observe).next(question)

    def _build_end(self) -> sfn.Choice:
        question = sfn.Choice(self, "How did it end?", comment="What the account says")
        incomplete = sfn.Fail(
            self,
            "Incomplete",
            comment="What is missing, and why, is in the account: sluice export, or the record of the slot",
            error="Incomplete",
            cause_path="$.account.cause",
        )
        unobserved = self.failure("Histories not updated", "The delivery is whole; the next run makes up for the rest.")
        question.when(_says("$.account.status", "incomplete"), incomplete)
        question.when(sfn.Condition.is_present(FAILURE), unobserved)
        question.otherwise(sfn.Succeed(self, "Delivered"))
        return question

    def _step(
        self,
        name: str,
        function: PythonFunction,
        payload: Mapping[str, object],
        closing: sfn.IChainable,
        result_path: str,
    ) -> sfn.TaskStateBase:
        return self.call(name, function, sfn.TaskInput.from_object(payload), closing, result_path)


def _says(path: str, value: str) -> sfn.Condition:
    return sfn.Condition.string_equals(path, value)


_EXPORT = sfn.JsonPath.object_at("$.export")
_EXECUTION = sfn.TaskInput.from_object(
    {
        "execution": sfn.JsonPath.string_at("$$.Execution.Id"),
        "started_at": sfn.JsonPath.string_at("$$.Execution.StartTime"),
        "input": sfn.JsonPath.object_at("$$.Execution.Input"),
    }
)
_MAP = "Copy the files"
