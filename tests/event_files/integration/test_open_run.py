"""The one open run in the ledger: each change of it is made only if it is still the run that was looked at."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sluice.event_files.convert.model import OpenRun
from sluice.event_files.ledger.model import Counts, SourceObject, SourceRecord, Status
from tests.support.tap import Call
from tests.support.world import World

MINE = OpenRun("run", "mine")
OTHERS = {
    "another run": OpenRun("another", "mine"),
    "another's": OpenRun("run", "another"),
    "planned": OpenRun("run", "mine", "plan"),
}


@pytest.mark.parametrize("there", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.ledger.begin_run(MINE),
        lambda world: world.ledger.take_over(MINE, "next"),
        lambda world: world.ledger.publish_plan(MINE, "my plan"),
        lambda world: world.ledger.drop_run(MINE),
    ],
    ids=["begin", "take over", "publish", "drop"],
)
def test_a_run_that_has_changed_is_left_alone(world: World, there: OpenRun, change: Callable[[World], bool]) -> None:
    _open(world, there)
    assert change(world) is False
    assert world.ledger.open_run() == there


def test_no_run_is_planned_dropped_or_taken_over(world: World) -> None:
    assert world.ledger.take_over(MINE, "next") is False
    assert world.ledger.publish_plan(MINE, "my plan") is False
    assert world.ledger.drop_run(MINE) is False
    assert world.ledger.open_run() is None
    world.ledger.close_run("run")


def test_the_life_of_a_run(world: World) -> None:
    assert world.ledger.begin_run(MINE)
    assert world.ledger.take_over(MINE, "next")
    taken = OpenRun("run", "next")
    assert world.ledger.open_run() == taken
    assert world.ledger.publish_plan(taken, "plan")
    planned = OpenRun("run", "next", "plan")
    assert world.ledger.open_run() == planned
    assert world.ledger.take_over(OpenRun("run", "next", "another plan"), "last") is False
    assert world.ledger.take_over(planned, "last")
    assert world.ledger.open_run() == OpenRun("run", "last", "plan")
    world.ledger.close_run("another")
    assert world.ledger.open_run() is not None
    world.ledger.close_run("run")
    assert world.ledger.open_run() is None


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.ledger.begin_run(MINE),
        lambda world: world.ledger.drop_run(MINE),
        lambda world: world.ledger.close_run("run"),
        lambda world: world.ledger.note(SourceRecord(SourceObject("b", "k", "e"), Status.GONE, 0, Counts())),
    ],
    ids=["begin", "drop", "close", "note"],
)
def test_only_a_condition_that_is_not_met_is_no_error(world: World, change: Callable[[World], object]) -> None:
    def throttled(operation: str, _call: Call) -> Any:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "too fast"}}, operation)

    with world.tap.around(throttled), pytest.raises(ClientError, match="too fast"):
        change(world)


def _open(world: World, run: OpenRun) -> None:
    unplanned = OpenRun(run.run_id, run.execution)
    assert world.ledger.begin_run(unplanned)
    assert run.plan_key is None or world.ledger.publish_plan(unplanned, run.plan_key)
