"""The History machine: months of folders observed side by side, then merged into the histories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.platform.machine import Machine
from infra.platform.plan_reader import PlanReader
from infra.platform.python_function import PythonFunction
from infra.stage import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySteps:
    """The functions the machine calls, in order."""

    plan: PythonFunction
    observe: PythonFunction
    update: PythonFunction

    def __iter__(self) -> Iterator[PythonFunction]:
        """Yield each function."""
        return iter((self.plan, self.observe, self.update))


class HistoryMachine(Machine):
    """Plan, observe the parts, merge them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        lake: s3.IBucket,
        lake_arn: str,
        steps: HistorySteps,
    ) -> None:
        """Grant what the machine needs, then build it."""
        super().__init__(scope, construct_id, stage=stage, name="history")
        self.grant(steps, f"{lake_arn}/runs/history/*", _MAP)
        failed = self.failure("Histories not initialised", "Start it again: doing it twice changes nothing.")
        plan = self.call("Cut the range into parts", steps.plan, _RANGE, failed, result_path=None)
        run = sfn.TaskInput.from_object({"run_id": sfn.JsonPath.string_at("$.run_id")})
        merge = self.call("Merge the parts", steps.update, run, failed, result_path="$.merged")
        lost = self.failure("Part not observed", "Its slots stay unknown until the range is initialised again.")
        parts = self.each(
            _MAP,
            self.call("Observe one part", steps.observe, None, lost),
            comment="One child execution per part of the plan; the first that fails for good ends it all",
            reader=PlanReader(bucket=lake, key_path="$.plan_key", items_pointer="/parts"),
            concurrency=stage.exports.observe_max_concurrency,
            failed=failed,
        )
        chain = plan.next(parts).next(merge).next(sfn.Succeed(self, "Histories initialised"))
        comment = "Makes the histories of the vendor's exports from the folders of a range of hours."
        self.build(chain, comment=comment, minutes=stage.exports.history_timeout_minutes)


_RANGE = sfn.TaskInput.from_object(
    {
        "execution": sfn.JsonPath.string_at("$$.Execution.Id"),
        "first": sfn.JsonPath.string_at("$.first"),
        "last": sfn.JsonPath.string_at("$.last"),
    }
)
_MAP = "Observe the parts"
