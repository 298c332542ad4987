"""The machines Export, from the hour's job to the proof that all of it arrived, and History, over a range of hours."""

from aws_cdk import Duration
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.platform.machine import FAILURE, NAMED_LATER, Machine, Plan
from infra.platform.stage_stack import stage_of
from infra.vendor_exports.functions import ExportFunctions
from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports import run_summary as states
from sluice.vendor_exports.run_summary import EXPORT, HISTORY


class ExportMachine(Machine):
    """Claim, trigger, wait, list, copy, check, record, update; whatever fails, the slot's result is recorded."""

    def __init__(self, scope: Construct, functions: ExportFunctions) -> None:
        super().__init__(scope, EXPORT, functions.lake)
        self._functions = functions
        self._settings = stage_of(self).settings(VendorExports)
        functions.claim_slot.allow(["states:DescribeExecution"], [self.executions_arn], NAMED_LATER)
        comment = "Has the vendor export the hour, copies every file, and proves that all of them arrived."
        self.build(self._build_chain(), comment=comment, minutes=self._settings.timeout_minutes)

    def _build_chain(self) -> sfn.IChainable:
        recording = self._build_recording()
        payload = {"export": _EXPORT, "waited_seconds": sfn.JsonPath.number_at("$.trigger.waited_seconds")}
        trigger = self.call(states.TRIGGER, self._functions.trigger_job, payload, recording, "$.trigger")
        checking = self._build_job_check(trigger, recording)
        triggering = trigger.next(self._build_trigger_question(trigger, checking, recording))
        failed = self.failure("Slot not claimed", "No slot was taken: nothing was asked of the vendor.")
        claim = self.call(states.CLAIM, self._functions.claim_slot, _EXECUTION, failed, result_path=None)
        question = sfn.Choice(self, "Is the slot free?", comment="One execution works on a slot at a time")
        question.when(_equals("$.decision", "trigger"), triggering)
        question.when(_equals("$.decision", "resume"), checking)
        question.when(_equals("$.decision", "busy"), sfn.Succeed(self, "Another run has the slot"))
        question.when(_equals("$.decision", "not_set_up"), sfn.Succeed(self, "Not set up yet"))
        unknown = "The decision is none of trigger, resume, busy and not_set_up."
        question.otherwise(sfn.Fail(self, "Decision not understood", error="UnknownDecision", cause=unknown))
        return claim.next(question)

    def _build_trigger_question(
        self, trigger: sfn.IChainable, checking: sfn.IChainable, recording: sfn.IChainable
    ) -> sfn.Choice:
        told = "The vendor takes one job an hour and says when it takes the next"
        until = self._wait("Wait until the vendor allows it", "$.trigger", told)
        begin = sfn.Wait(
            self,
            states.WAIT_FOR_BEGIN,
            comment="No job is complete sooner",
            time=sfn.WaitTime.duration(Duration.seconds(self._settings.first_wait_seconds)),
        )
        question = sfn.Choice(self, "Did the vendor take the job?", comment="It takes one an hour")
        question.when(_equals("$.trigger.next_step", "accepted"), begin.next(checking))
        question.when(_equals("$.trigger.next_step", "wait"), until.next(trigger))
        return question.otherwise(recording)

    def _build_job_check(self, trigger: sfn.IChainable, recording: sfn.IChainable) -> sfn.IChainable:
        payload = {
            "export": _EXPORT,
            "triggered": sfn.JsonPath.string_at("$.trigger.next_step"),
            **{name: sfn.JsonPath.number_at(f"$.check.{name}") for name in ("waited_seconds", "unknown")},
        }
        check = self.call(states.CHECK_JOB, self._functions.check_job, payload, recording, "$.check")
        wait = self._wait(states.WAIT_FOR_JOB, "$.check", "The vendor replicates for 15 to 25 minutes")
        question = sfn.Choice(self, "Is the job complete?", comment="Unknown words mean not yet, until the deadline")
        question.when(_equals("$.check.next_step", "complete"), self._build_copying(recording))
        question.when(_equals("$.check.next_step", "wait"), wait.next(check))
        question.when(_equals("$.check.next_step", "lost"), trigger)
        question.otherwise(recording)
        return check.next(question)

    def _build_copying(self, recording: sfn.IChainable) -> sfn.IChainable:
        counted = {name: sfn.JsonPath.number_at(f"$.delivery.{name}") for name in ("round", "waited_seconds")}
        payload, functions = {"export": _EXPORT, **counted}, self._functions
        listing = self.call(states.LIST, functions.list_files, payload, recording, "$.delivery")
        check = self.call(states.CHECK_DELIVERY, functions.check_delivery, payload, recording, "$.delivery")
        wait = self._wait(states.WAIT_FOR_FILES, "$.delivery", "The list may be late, or the vendor busy")
        wait.next(listing)
        arrived = sfn.Choice(self, "Did all arrive?", comment="What is missing is fetched again, by new URLs")
        arrived.when(_equals("$.delivery.next_step", "again"), listing)
        arrived.when(_equals("$.delivery.next_step", "wait"), wait).otherwise(recording)
        check.next(arrived)
        question = sfn.Choice(self, "Are there files?", comment="An empty list is no delivery")
        question.when(_equals("$.delivery.next_step", "files"), self._build_map(check).next(check))
        question.when(_equals("$.delivery.next_step", "wait"), wait).otherwise(recording)
        return listing.next(question)

    def _build_map(self, check: sfn.IChainable) -> sfn.DistributedMap:
        lost = self.failure("Batch not copied", "What it copied stays; the check finds what is missing.")
        return self.each(
            states.COPY,
            self.call("Copy one batch of files", self._functions.copy_files, None, lost),
            comment="One child execution per batch of the plan; the check that follows counts, so none of them ends it",
            plan=Plan("runs/exports/", "$.delivery.plan_key", "batches"),
            concurrency=self._settings.copy_max_concurrency,
            failed=check,
            tolerates_failures=True,
            item_selector={"export.$": "$.export", "batch.$": "$$.Map.Item.Value"},
        )

    def _build_recording(self) -> sfn.IChainable:
        lost = self.failure(
            "Result not recorded", "The result is not recorded; the slot is free when its lease is over."
        )
        record = self.call(states.RECORD, self._functions.record_result, None, lost, result_path="$.result")
        question = self._build_end()
        slots = {"slots": sfn.JsonPath.array(sfn.JsonPath.string_at("$.export.slot"))}
        update = self.call(states.UPDATE_HISTORIES, self._functions.update_history, slots, question)
        return record.next(update).next(question)

    def _build_end(self) -> sfn.Choice:
        question = sfn.Choice(self, "How did it end?", comment="Status of the result")
        incomplete = sfn.Fail(
            self,
            "Incomplete",
            comment="The result names what is missing, and why: sluice export, or the record of the slot",
            error="Incomplete",
            cause_path="$.result.cause",
        )
        unobserved = self.failure("Histories not updated", "The delivery is whole; the next run makes up for the rest.")
        question.when(_equals("$.result.status", "incomplete"), incomplete)
        question.when(sfn.Condition.is_present(FAILURE), unobserved)
        question.otherwise(sfn.Succeed(self, "Delivered"))
        return question

    def _wait(self, name: str, answer: str, comment: str) -> sfn.Wait:
        """Return a state that waits as long as an answer of a step says."""
        return sfn.Wait(self, name, comment=comment, time=sfn.WaitTime.seconds_path(f"{answer}.wait_seconds"))


class HistoryMachine(Machine):
    """Plan, observe the parts side by side, merge them into the histories."""

    def __init__(self, scope: Construct, functions: ExportFunctions) -> None:
        super().__init__(scope, HISTORY, functions.lake)
        settings = stage_of(self).settings(VendorExports)
        failed = self.failure("Histories not initialised", "Start it again: doing it twice changes nothing.")
        plan = self.call("Cut the range into parts", functions.plan_history, _RANGE, failed, result_path=None)
        run = {"run_id": sfn.JsonPath.string_at("$.run_id")}
        merge = self.call("Merge the parts", functions.update_history, run, failed, result_path="$.merged")
        lost = self.failure("Part not observed", "Its slots stay unknown until the range is initialised again.")
        parts = self.each(
            "Observe the parts",
            self.call("Observe one part", functions.observe_hours, None, lost),
            comment="One child execution per part of the plan; the first that fails for good ends it all",
            plan=Plan("runs/history/", "$.plan_key", "parts"),
            concurrency=settings.observe_max_concurrency,
            failed=failed,
        )
        chain = plan.next(parts).next(merge).next(sfn.Succeed(self, "Histories initialised"))
        comment = "Makes the histories of the vendor's exports from the folders of a range of hours."
        self.build(chain, comment=comment, minutes=settings.history_timeout_minutes)


def _equals(path: str, value: str) -> sfn.Condition:
    return sfn.Condition.string_equals(path, value)


_EXPORT = sfn.JsonPath.object_at("$.export")
_EXECUTION = {
    "execution": sfn.JsonPath.string_at("$$.Execution.Id"),
    "started_at": sfn.JsonPath.string_at("$$.Execution.StartTime"),
    "input": sfn.JsonPath.object_at("$$.Execution.Input"),
}
_RANGE = {
    "execution": sfn.JsonPath.string_at("$$.Execution.Id"),
    "first": sfn.JsonPath.string_at("$.first"),
    "last": sfn.JsonPath.string_at("$.last"),
}
