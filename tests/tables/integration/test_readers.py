"""Readers who query without pause see whole runs, each row once, whatever ends at whatever call of whatever writes."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from itertools import count
from threading import Event
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from tests.support.local.emulated_lake import EmulatedLake
from tests.support.moto.aws_calls import (
    AwsUnavailableError,
    Call,
    CallFailure,
    Interceptor,
    KilledError,
    call_failures,
    undisturbed,
)
from tests.tables.integration.busy_stage import BusyStage, Course, Row, queries
from tests.tables.integration.upkeep_stage import TABLE, UpkeepStage

_RUNS = 50  # of Convert, at least


class _LostAnswerError(ConnectionClosedError, AwsUnavailableError):
    """The answer to a call is lost, as boto3 tells of it; elsewhere than at a commit it ends the work."""


_LOST = _LostAnswerError(endpoint_url="https://glue.us-east-1.amazonaws.com")


@pytest.mark.filterwarnings("default:Failed to delete old metadata")  # the commit is made; it is tidied up later
@pytest.mark.parametrize("every", [25, pytest.param(1, marks=pytest.mark.attack)])
def test_readers_see_whole_runs_once(emulated_lake: EmulatedLake, every: int) -> None:
    """While each call of Convert, Compact and roll-backs fails, or is the last; or one `every` so many."""
    busy = BusyStage(emulated_lake)
    upkeep, folders = busy.new_upkeep(), (f"run-{number:03}" for number in count())
    ways = _ways(lambda note: busy.convert(next(folders), note))
    in_converting = (2 * ways)[: max(len(ways), _RUNS)]
    busy.convert(next(folders))
    in_compacting = _ways(lambda note: _compact(upkeep, note))[::every]
    in_rolling_back = _ways(busy.roll_back)[::every]
    counts = f"{len(in_converting[::every])} {len(in_compacting)} {len(in_rolling_back)}"
    looks: dict[str, int] = {}
    with _beside(*_readers(busy, looks), lambda: _compact_in_trouble(upkeep, in_compacting)) as over:
        for number in count():
            trouble: Interceptor = in_converting[number * every] if number * every < len(in_converting) else undisturbed
            if over.is_set() or (trouble is undisturbed and not in_compacting and not in_rolling_back):
                break
            busy.convert(next(folders), trouble, roll_back=number % 5 == 0)
            if number % 2 and in_rolling_back:
                busy.roll_back(in_rolling_back.pop())
    runs = int(next(folders)[4:])
    sys.stdout.write(f"{runs} runs of Convert; {counts}; {looks}\n")
    assert min(looks.values()) > runs


def _ways(work: Callable[[Interceptor], object]) -> list[CallFailure]:
    """Do some work; return what could have failed: lost answers of commits, as boto3 tells of them, then every call."""
    operations: list[str] = []

    def note(operation: str, call: Call) -> Any:
        operations.append(operation)
        return call()

    work(note)
    commits = [at for at, operation in enumerate(operations, start=1) if operation == "UpdateTable"]
    return [*(CallFailure(at, after=True, error=_LOST) for at in commits), *call_failures(operations)]


@contextmanager
def _beside(*works: Callable[[], bool]) -> Iterator[Event]:
    """Do works in threads of their own, each as long as it says that there is more, or until the context ends."""
    over = Event()

    def do(work: Callable[[], bool]) -> None:
        try:
            while not over.is_set() and work():
                pass
        except BaseException:
            over.set()
            raise

    with ThreadPoolExecutor() as threads:
        done = [threads.submit(do, work) for work in works]
        try:
            yield over
        finally:
            over.set()
        for each in done:
            each.result()


def _readers(busy: BusyStage, looks: dict[str, int]) -> Iterator[Callable[[], bool]]:
    """Yield what looks at a table in a way, and counts how often it did."""

    def reader(name: str, course: Course, query: Callable[[], list[Row]]) -> Callable[[], bool]:
        def look() -> bool:
            course.look(query)
            looks[name] = looks.get(name, 0) + 1
            return True

        return look

    for table, course in busy.courses.items():
        for engine, query in queries(busy.deployment, table).items():
            yield reader(f"{table} by {engine}", course, query)


def _compact_in_trouble(upkeep: UpkeepStage, troubles: list[CallFailure]) -> bool:
    if _compact(upkeep, troubles[-1]):
        troubles.pop()
    return bool(troubles)


def _compact(upkeep: UpkeepStage, trouble: Interceptor = undisturbed) -> int:
    """Run the Compact machine, which may end at a call, and then once more; return the files that it made."""
    planned = upkeep.plan()
    if not planned.groups:
        return 0
    with upkeep.calls.intercept(trouble), suppress(AwsUnavailableError, KilledError):
        upkeep.work(planned)
        upkeep.finish(planned)
    upkeep.work(planned)
    return upkeep.finish(planned).tables[TABLE].files_after
