"""The machine Pull: begin, ask, then endpoint by endpoint extract, check and keep; whatever fails is recorded."""

from collections.abc import Callable

from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.api_pull.functions import PullFunctions
from infra.api_pull.mart import MartFunctions, loading
from infra.api_pull.settings import ApiPull
from infra.platform.functions import PythonFunction
from infra.platform.machine import FAILURE, NAMED_LATER, Machine
from infra.platform.stage_stack import stage_of
from sluice.api_pull import run_summary as states
from sluice.api_pull.contracts import ENDPOINTS
from sluice.api_pull.model import COMPLETE, PARTIAL
from sluice.api_pull.progress import AGAIN, WAIT
from sluice.api_pull.pulls import BUSY, NOT_SET_UP
from sluice.api_pull.run_summary import PULL


class PullMachine(Machine):
    """One state at a time; an endpoint that fails is noted, and the next one is begun."""

    def __init__(self, scope: Construct, functions: PullFunctions, of_mart: MartFunctions) -> None:
        super().__init__(scope, PULL, functions.lake)
        self._functions = functions
        self._of_mart = of_mart
        functions.begin_pull.allow(["states:DescribeExecution"], [self.executions_arn], NAMED_LATER)
        comment = "Pulls all rows of the application's API, checks them, and keeps them in the lake and the mart."
        self.build(self._build_chain(), comment=comment, minutes=stage_of(self).settings(ApiPull).timeout_minutes)

    def _build_chain(self) -> sfn.IChainable:
        recording = self._build_recording()
        following = loading(self, self._of_mart, recording)
        for endpoint in reversed(ENDPOINTS):
            following = self._build_endpoint(endpoint, following)
        asked = self.call(states.HEALTH, self._functions.check_source, {"pull": _PULL}, recording)
        failed = self.failure("Pull not begun", "Nothing was asked of the API.")
        begin = self.call(states.BEGIN, self._functions.begin_pull, _EXECUTION, failed, result_path=None)
        question = sfn.Choice(self, "May it begin?", comment="One pull works at a time")
        question.when(_equals("$.decision", BUSY), sfn.Succeed(self, "Another pull is at work"))
        question.when(_equals("$.decision", NOT_SET_UP), sfn.Succeed(self, "Not set up yet"))
        question.otherwise(asked.next(following))
        return begin.next(question)

    def _build_endpoint(self, endpoint: str, following: sfn.IChainable) -> sfn.IChainable:
        """Return the states of an endpoint, and what follows whatever becomes of it."""
        failed = sfn.Pass(
            self,
            f"Note that {states.shown(endpoint)} failed",
            comment="The others go on",
            input_path=FAILURE,
            result_path=f"$.{endpoint}.failure",
        )
        failed.next(following)
        keep = self._call(states.keep_state, endpoint, "kept", self._functions.keep_snapshot, {"turn": "check"}, failed)
        keep.next(following)
        turns = {"turn": "check", "extract_turn": "extract", "memory_mb": "check"}
        check = self._call(states.check_state, endpoint, "check", self._functions.check_rows, turns, failed)
        checked = sfn.Choice(
            self, f"Is {states.shown(endpoint)} checked?", comment="As many at a time as a call has time for"
        )
        checked.when(_equals(f"$.{endpoint}.check.next_step", AGAIN), check).otherwise(keep)
        check.next(checked)
        turns = {"turn": "extract", "memory_mb": "extract"}
        extract = self._call(states.extract_state, endpoint, "extract", self._functions.extract_pages, turns, failed)
        wait = sfn.Wait(
            self,
            states.wait_state(endpoint),
            comment="The API is busy, or away",
            time=sfn.WaitTime.seconds_path(f"$.{endpoint}.extract.wait_seconds"),
        )
        wait.next(extract)
        read = sfn.Choice(
            self, f"Is {states.shown(endpoint)} read?", comment="As many at a time as a call has time for"
        )
        read.when(_equals(f"$.{endpoint}.extract.next_step", AGAIN), extract)
        read.when(_equals(f"$.{endpoint}.extract.next_step", WAIT), wait).otherwise(check)
        return extract.next(read).start_state

    def _call(
        self,
        name: Callable[[str], str],
        endpoint: str,
        step: str,
        function: PythonFunction,
        turns: dict[str, str],
        failed: sfn.IChainable,
    ) -> sfn.TaskStateBase:
        """Return a state of an endpoint; `turns` are members of its input by the step whose answer has them."""
        taken = {
            member: sfn.JsonPath.number_at(f"$.{endpoint}.{of}.{'turn' if 'turn' in member else member}")
            for member, of in turns.items()
        }
        payload = {"pull": _PULL, "endpoint": endpoint, **taken}
        return self.call(name(endpoint), function, payload, failed, f"$.{endpoint}.{step}")

    def _build_recording(self) -> sfn.IChainable:
        lost = self.failure("Result not recorded", "The lake has what was kept; the next pull takes the lease over.")
        record = self.call(states.RECORD, self._functions.record_pull, None, lost, result_path="$.result")
        question = sfn.Choice(self, "How did it end?", comment="Status of the result")
        question.when(_equals("$.result.status", COMPLETE), sfn.Succeed(self, "Complete"))
        question.when(_equals("$.result.status", PARTIAL), self._end("Partial", "Some endpoints are not in the mart"))
        question.otherwise(self._end("Failed", "No endpoint is in the mart"))
        record.next(question)
        return record

    def _end(self, name: str, comment: str) -> sfn.Fail:
        return sfn.Fail(self, name, comment=comment, error=name, cause_path="$.result.cause")


def _equals(path: str, value: str) -> sfn.Condition:
    return sfn.Condition.string_equals(path, value)


_PULL = sfn.JsonPath.object_at("$.pull")
_EXECUTION = {
    "execution": sfn.JsonPath.string_at("$$.Execution.Id"),
    "started_at": sfn.JsonPath.string_at("$$.Execution.StartTime"),
    "input": sfn.JsonPath.object_at("$$.Execution.Input"),
}
