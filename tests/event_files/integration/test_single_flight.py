"""One run at a time, whoever plans, however late: no chunk is ever in two plans that somebody follows."""

import random
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from sluice.event_files.convert.model import OpenRun
from sluice.event_files.convert.planning import Decision, Planned
from sluice.event_files.ledger.model import ChunkRecord, Counts, Segment
from tests.support.events import body, event
from tests.support.interleave import interleave
from tests.support.snapshots import assert_books_balance, ledger, snapshots
from tests.support.storage import empty
from tests.support.world import LEDGER, World

SHUFFLES = 8
MOST_CALLS = 5  # DynamoDB calls of one attempt to plan

PLANNED, BUSY, NOTHING = Decision.PLANNED, Decision.BUSY, Decision.NOTHING_TO_DO


def orders(*between: str) -> Iterator[list[str]]:
    """Yield orders in which `a` is overtaken by its equal `b` somewhere, and `b` by `a` again."""
    for begun in range(MOST_CALLS):
        for other in range(1, MOST_CALLS + 1):
            yield [*("a" * begun), *between, *("b" * other), *("a" * MOST_CALLS)]


@pytest.fixture
def upload(world: World) -> Callable[[str], None]:
    def upload(name: str) -> None:
        assert not world.validate(world.put(f"x/{name}", body(event("MICROONE_EVENT", 1)))).failed

    return upload


def test_a_running_execution_keeps_others_out(world: World, upload: Callable[[str], None]) -> None:
    upload("a")
    with world.execution("a"):
        planned = world.plan("a")
        assert planned.decision is PLANNED
        with world.execution("b"):
            assert world.plan("b") == Planned(BUSY)
        world.convert_batches(planned)
        world.commit(planned)
        assert world.plan("b") == Planned(BUSY), "the profiling log is part of the run"
        world.profile(planned)
    assert world.plan("b") == Planned(NOTHING)
    assert not ledger("run")


def test_a_second_attempt_of_the_same_execution_gets_the_same_plan(world: World, upload: Callable[[str], None]) -> None:
    upload("a")
    with world.execution("a"):
        planned = world.plan("a")
        upload("b")
        assert world.plan("a") == planned


def test_the_plan_of_a_dead_execution_is_finished_first(world: World, upload: Callable[[str], None]) -> None:
    upload("old")
    with world.execution("dead"):
        left_over = world.plan("dead")
    upload("new")
    with world.execution("next"):
        taken = world.plan("next")
        assert taken == left_over
        assert len(world.read_plan(taken).chunk_ids) == 1
        assert world.plan("third") == Planned(BUSY)
    assert world.convert("next again") is not None
    assert [row["_source_key"] for row in snapshots()["x"]["MICROONE_EVENT"]] == ["old"]
    assert len(ledger("chunk#pending")) == 1
    assert world.convert() is not None
    assert [row["_source_key"] for row in snapshots()["x"]["MICROONE_EVENT"]] == ["new", "old"]
    assert_books_balance()


def test_a_dead_execution_without_a_plan_leaves_nothing_behind(world: World, upload: Callable[[str], None]) -> None:
    assert world.ledger.begin_run(OpenRun("run", "dead"))
    with world.execution("next"):
        assert world.plan("next") == Planned(NOTHING)
    assert not ledger("run")
    assert world.ledger.begin_run(OpenRun("run", "dead"))
    upload("a")
    with world.execution("next"):
        assert world.plan("next").decision is PLANNED


def test_a_late_profile_of_a_finished_run_leaves_the_next_run_alone(
    world: World, upload: Callable[[str], None]
) -> None:
    upload("a")
    finished = world.plan("a")
    world.convert_batches(finished)
    world.commit(finished)
    world.profile(finished)
    upload("b")
    with world.execution("b"):
        going_on = world.plan("b")
        world.profile(finished)
        assert world.plan("c") == Planned(BUSY)
        assert world.plan("b") == going_on
    world.convert()
    assert [row["_source_key"] for row in snapshots()["x"]["MICROONE_EVENT"]] == ["a", "b"]


def test_an_execution_that_was_taken_for_dead_goes_on_beside_the_one_that_took_its_run_over(
    world: World, upload: Callable[[str], None]
) -> None:
    """States of both come in any order, and a third execution begins as soon as the first of them is through."""
    chance = random.Random(3)
    for number in range(SHUFFLES):
        upload(f"{number}-old")
        planned = world.plan("taken for dead")
        with world.execution("successor"):
            assert world.plan("successor") == planned
        upload(f"{number}-new")
        _shuffle(chance, _states(world, planned), _states(world, planned), world.convert)
        world.convert()
        assert not ledger("chunk#pending")
    assert_books_balance()
    found = [row["_source_key"] for row in snapshots()["x"]["MICROONE_EVENT"]]
    assert sorted(found) == sorted(f"{number}-{age}" for number in range(SHUFFLES) for age in ("old", "new"))


def _states(world: World, planned: Planned) -> list[Callable[[], object]]:
    """What follows a plan, state by state."""
    return [
        lambda: world.convert_batches(planned),
        lambda: world.commit(planned),
        lambda: world.profile(planned),
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


@pytest.mark.parametrize("between", [(), ("c",)], ids=["a chunk waits", "a chunk is committed meanwhile"])
def test_two_attempts_of_one_execution(world: World, between: tuple[str, ...]) -> None:
    works = {"a": partial(world.plan, "x"), "b": partial(world.plan, "x"), "c": partial(_commit_chunk, world, 2)}
    for order in orders(*between):
        if not between:
            _commit_chunk(world, 1)
        with world.execution("x"):
            results = interleave(world.tap, order, **{name: works[name] for name in ("a", "b", *between)})
            others = _plan_in_turn(world, "y")
        _assert_one_plan(world, [results["a"], results["b"], *others], order)


@pytest.mark.parametrize("begun_by", ["nobody", "the dead", "the dead with a plan"])
def test_race_of_two_executions(world: World, begun_by: str) -> None:
    for order in orders():
        _commit_chunk(world, 1)
        dead = _left_over(world, begun_by)
        with world.execution("a"), world.execution("b"):
            results = interleave(world.tap, order, a=partial(world.plan, "a"), b=partial(world.plan, "b"))
            others = _plan_in_turn(world, "y")
        assert sorted(result.decision for result in results.values()) == [BUSY, PLANNED], order
        _assert_one_plan(world, [*dead, *results.values(), *others], order)


def test_race_of_two_executions_for_a_chunk_that_comes_late(world: World) -> None:
    works = {"a": partial(world.plan, "a"), "b": partial(world.plan, "b"), "c": partial(_commit_chunk, world, 1)}
    for order in orders("c"):
        with world.execution("a"), world.execution("b"):
            results = interleave(world.tap, order, **works)
            others = _plan_in_turn(world, "y")
        _assert_one_plan(world, [results["a"], results["b"], *others], order)


@pytest.mark.parametrize("between", [(), ("c",)], ids=["a chunk waits", "a chunk is committed meanwhile"])
def test_a_late_plan_of_a_dead_execution(world: World, between: tuple[str, ...]) -> None:
    """It goes on, anywhere between the calls of an execution that takes its run over."""
    works = {"a": partial(world.plan, "dead"), "b": partial(world.plan, "next"), "c": partial(_commit_chunk, world, 2)}
    for order in orders(*between):
        if not between:
            _commit_chunk(world, 1)
        with world.execution("next"):
            results = interleave(world.tap, order, **{name: works[name] for name in ("a", "b", *between)})
            others = _plan_in_turn(world, "y")
        late, following = results["a"], results["b"]
        assert late.decision is not PLANNED or late == following, (order, "two plans are made")
        _assert_one_plan(world, [following, *others], order)


def _left_over(world: World, begun_by: str) -> list[Planned]:
    if begun_by == "the dead":
        assert world.ledger.begin_run(OpenRun("run", "dead"))
    return [world.plan("dead")] if begun_by == "the dead with a plan" else []


def _plan_in_turn(world: World, *names: str) -> list[Planned]:
    return [world.plan(name) for name in names]


def _commit_chunk(world: World, number: int) -> Planned:
    chunk = ChunkRecord(f"{number:016}", (Segment("MICROONE_EVENT", 0, 10, 1),), files=1, counts=Counts(events=1))
    world.ledger.commit([chunk], [])
    return Planned(NOTHING)


def _assert_one_plan(world: World, results: list[Planned], order: list[str]) -> None:
    """All plans that were told to be followed, now or by the execution that comes next, hold each chunk once."""
    with world.execution("last"):
        results = [*results, world.plan("last")]
    plans = {result.plan_key: world.read_plan(result) for result in results if result.decision is PLANNED}
    planned = [chunk for plan in plans.values() for chunk in plan.chunk_ids]
    assert len(planned) == len(set(planned)), (order, results)
    open_run = world.ledger.open_run()
    waiting = {chunk["sk"] for chunk in ledger("chunk#pending")}
    assert waiting == set(planned), (order, results, "a chunk waits that nobody has planned")
    assert open_run is not None
    assert open_run.plan_key in plans, (order, results, "a plan is followed that the ledger does not know")
    empty(LEDGER)
