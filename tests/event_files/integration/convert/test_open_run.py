"""The open run in the ledger: each change of it is made only if it is still the run that was read."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.event_files.ledger.model import Counts, OpenRun, SourceObject, SourceRecord, Status
from tests.support.moto.aws_calls import Call
from tests.support.moto.stage import MotoStage

MINE = OpenRun("run", "mine")
OTHERS = {
    "another run": OpenRun("another", "mine"),
    "another's": OpenRun("run", "another"),
    "planned": OpenRun("run", "mine", "plan"),
}


@pytest.mark.parametrize("there", OTHERS.values(), ids=OTHERS)
def test_a_run_that_has_changed_is_left_alone(moto_stage: MotoStage, there: OpenRun) -> None:
    unplanned = OpenRun(there.run_id, there.execution)
    assert moto_stage.runs.claim_run(unplanned) == unplanned
    assert there.plan_key is None or moto_stage.runs.publish_plan(unplanned, there.plan_key)
    assert moto_stage.runs.publish_plan(MINE, "my plan") is False
    assert moto_stage.runs.drop_run(MINE) is False
    assert moto_stage.runs.claim_run(MINE, "an execution that has ended") == there
    assert moto_stage.runs.open_run() == there


def test_no_run_is_planned_or_dropped(moto_stage: MotoStage) -> None:
    assert moto_stage.runs.publish_plan(MINE, "my plan") is False
    assert moto_stage.runs.drop_run(MINE) is False
    assert moto_stage.runs.open_run() is None
    moto_stage.runs.close_run("run")


def test_the_life_of_a_run(moto_stage: MotoStage) -> None:
    runs = moto_stage.runs
    assert runs.claim_run(MINE) == MINE
    taken = OpenRun("run", "next")
    assert runs.claim_run(OpenRun("another", "next"), "mine") == runs.open_run() == taken
    assert runs.publish_plan(taken, "plan")
    assert runs.open_run() == OpenRun("run", "next", "plan")
    last = OpenRun("run", "last", "plan")
    assert runs.claim_run(OpenRun("a third", "last"), "next") == runs.open_run() == last
    runs.close_run("another")
    assert runs.open_run() == last
    runs.close_run("run")
    assert runs.open_run() is None


@pytest.mark.parametrize(
    "change",
    [
        lambda stage: stage.runs.claim_run(MINE),
        lambda stage: stage.runs.drop_run(MINE),
        lambda stage: stage.runs.close_run("run"),
        lambda stage: stage.ledger.note(SourceRecord(SourceObject("b", "k", "e"), Status.GONE, 0, Counts())),
    ],
    ids=["claim", "drop", "close", "note"],
)
def test_a_throttled_change_is_an_error(moto_stage: MotoStage, change: Callable[[MotoStage], object]) -> None:
    def throttled(operation: str, _call: Call) -> Any:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "too fast"}}, operation)

    with moto_stage.calls.intercept(throttled), pytest.raises(ClientError, match="too fast"):
        change(moto_stage)
