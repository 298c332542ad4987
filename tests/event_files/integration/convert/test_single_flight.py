"""One run at a time, however late an attempt to plan: no chunk is ever in two plans that are followed."""

import random
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from sluice.event_files.convert.planning import Decision, Planned
from sluice.event_files.ledger.model import ChunkRecord, Counts, OpenRun, Segment
from tests.support.moto.aws_calls import interleave
from tests.support.moto.backend import clear_table
from tests.support.moto.stage import LEDGER, MotoStage
from tests.support.sample_events import body, event
from tests.support.snapshots import assert_books_balance, ledger, snapshots

SHUFFLES = 8
MOST_CALLS = 7  # AWS calls of one attempt to plan

PLANNED, BUSY, NOTHING = Decision.PLANNED, Decision.BUSY, Decision.NOTHING_TO_DO


def orders(*between: str) -> Iterator[list[str]]:
    """Yield orders in which `a` is overtaken by its equal `b` somewhere, and `b` by `a` again."""
    for begun in range(MOST_CALLS):
        for other in range(1, MOST_CALLS + 1):
            yield [*("a" * begun), *between, *("b" * other), *("a" * MOST_CALLS)]


def _upload(moto_stage: MotoStage, name: str) -> None:
    moto_stage.arrive(f"x/{name}", body(event("MICROONE_EVENT", 1)))


def test_a_running_execution_keeps_others_out(moto_stage: MotoStage) -> None:
    _upload(moto_stage, "a")
    with moto_stage.execution("a"):
        planned = moto_stage.plan("a")
        assert planned.decision is PLANNED
        with moto_stage.execution("b"):
            assert moto_stage.plan("b") == Planned(BUSY)
        moto_stage.convert_batches(planned)
        moto_stage.commit(planned)
        assert moto_stage.plan("b") == Planned(BUSY), "the profiling log is part of the run"
        moto_stage.profile(planned)
    assert moto_stage.plan("b") == Planned(NOTHING)
    assert not ledger("run")


def test_a_dead_execution_without_a_plan_leaves_nothing_behind(moto_stage: MotoStage) -> None:
    moto_stage.runs.claim_run(OpenRun("run", "dead"))
    with moto_stage.execution("next"):
        assert moto_stage.plan("next") == Planned(NOTHING)
    assert not ledger("run")


def test_a_late_profile_of_a_finished_run_leaves_the_next_run_alone(moto_stage: MotoStage) -> None:
    _upload(moto_stage, "a")
    finished = moto_stage.plan("a")
    moto_stage.convert_batches(finished)
    moto_stage.commit(finished)
    moto_stage.profile(finished)
    _upload(moto_stage, "b")
    with moto_stage.execution("b"):
        going_on = moto_stage.plan("b")
        moto_stage.profile(finished)
        assert moto_stage.plan("c") == Planned(BUSY)
        assert moto_stage.plan("b") == going_on
    moto_stage.convert()
    assert [row["_source_key"] for row in snapshots()["x"]["MICROONE_EVENT"]] == ["a", "b"]


def test_an_execution_taken_for_dead_goes_on_beside_the_one_that_took_its_run_over(moto_stage: MotoStage) -> None:
    """States of both come in any order, and a third execution begins as soon as the first of them is through."""
    chance = random.Random(3)
    for number in range(SHUFFLES):
        _upload(moto_stage, f"{number}-old")
        planned = moto_stage.plan("taken for dead")
        with moto_stage.execution("successor"):
            assert moto_stage.plan("successor") == planned
        _upload(moto_stage, f"{number}-new")
        _shuffle(chance, _states(moto_stage, planned), _states(moto_stage, planned), moto_stage.convert)
        moto_stage.convert()
        assert not ledger("chunk#pending")
    assert_books_balance()
    found = [row["_source_key"] for row in snapshots()["x"]["MICROONE_EVENT"]]
    assert sorted(found) == sorted(f"{number}-{age}" for number in range(SHUFFLES) for age in ("old", "new"))


def _states(moto_stage: MotoStage, planned: Planned) -> list[Callable[[], object]]:
    """Return the states that follow a plan."""
    return [
        lambda: moto_stage.convert_batches(planned),
        lambda: moto_stage.commit(planned),
        lambda: moto_stage.profile(planned),
    ]


def _shuffle(
    chance: random.Random,
    first: list[Callable[[], object]],
    second: list[Callable[[], object]],
    when_one_is_through: Callable[[], object],
) -> None:
    """Run the states of two executions in any order that each of them allows."""
    while first and second:
        chance.choice((first, second)).pop(0)()
    when_one_is_through()
    for state in (*first, *second):
        state()


CHUNK_COMES = pytest.mark.parametrize("between", [(), ("c",)], ids=["a chunk waits", "a chunk is committed meanwhile"])


@CHUNK_COMES
def test_two_attempts_of_one_execution(moto_stage: MotoStage, between: tuple[str, ...]) -> None:
    for order in orders(*between):
        if not between:
            _commit_chunk(moto_stage, 1)
        with moto_stage.execution("x"):
            plans = _race(moto_stage, order, "x", "x")
        _assert_one_plan(moto_stage, plans, order)


@pytest.mark.parametrize("begun_by", ["no execution", "the dead", "the dead with a plan"])
def test_race_of_two_executions(moto_stage: MotoStage, begun_by: str) -> None:
    for order in orders():
        _commit_chunk(moto_stage, 1)
        dead = _left_over(moto_stage, begun_by)
        with moto_stage.execution("a"), moto_stage.execution("b"):
            plans = _race(moto_stage, order, "a", "b")
        assert sorted(result.decision for result in plans[:2]) == [BUSY, PLANNED], order
        _assert_one_plan(moto_stage, [*dead, *plans], order)


def test_race_of_two_executions_for_a_chunk_that_comes_late(moto_stage: MotoStage) -> None:
    for order in orders("c"):
        with moto_stage.execution("a"), moto_stage.execution("b"):
            plans = _race(moto_stage, order, "a", "b")
        _assert_one_plan(moto_stage, plans, order)


@CHUNK_COMES
def test_a_late_plan_of_a_dead_execution(moto_stage: MotoStage, between: tuple[str, ...]) -> None:
    """It goes on, anywhere between the calls of an execution that takes its run over."""
    for order in orders(*between):
        if not between:
            _commit_chunk(moto_stage, 1)
        with moto_stage.execution("next"):
            late, following, other = _race(moto_stage, order, "dead", "next")
        assert late.decision is not PLANNED or late == following, (order, "two plans are made")
        _assert_one_plan(moto_stage, [following, other], order)


def _race(moto_stage: MotoStage, order: list[str], first: str, second: str) -> list[Planned]:
    """Plan for two executions, their calls in this order; then for a third one."""
    works = {
        "a": partial(moto_stage.plan, first),
        "b": partial(moto_stage.plan, second),
        "c": partial(_commit_chunk, moto_stage, 2),
    }
    results = interleave(moto_stage.calls, order, **{name: work for name, work in works.items() if name in order})
    return [results["a"], results["b"], moto_stage.plan("y")]


def _left_over(moto_stage: MotoStage, begun_by: str) -> list[Planned]:
    if begun_by == "the dead":
        moto_stage.runs.claim_run(OpenRun("run", "dead"))
    return [moto_stage.plan("dead")] if begun_by == "the dead with a plan" else []


def _commit_chunk(moto_stage: MotoStage, number: int) -> Planned:
    chunk = ChunkRecord(f"{number:016}", (Segment("MICROONE_EVENT", 0, 10, 1),), files=1, counts=Counts(events=1))
    moto_stage.ledger.commit([chunk], [])
    return Planned(NOTHING)


def _assert_one_plan(moto_stage: MotoStage, results: list[Planned], order: list[str]) -> None:
    """All plans that were told to be followed, now or by the execution that comes next, hold each chunk once."""
    with moto_stage.execution("last"):
        results = [*results, moto_stage.plan("last")]
    plans = {result.plan_key: moto_stage.read_plan(result) for result in results if result.decision is PLANNED}
    planned = [chunk for plan in plans.values() for chunk in plan.chunk_ids]
    assert len(planned) == len(set(planned)), (order, results)
    open_run = moto_stage.runs.open_run()
    waiting = {chunk["sk"] for chunk in ledger("chunk#pending")}
    assert waiting == set(planned), (order, results, "a chunk is pending that is in no plan")
    assert open_run is not None
    assert open_run.plan_key in plans, (order, results, "a plan is followed that the ledger does not know")
    clear_table(LEDGER)
