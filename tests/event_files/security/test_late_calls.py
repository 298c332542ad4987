"""Calls that Step Functions took for lost and that write when others have finished their work: each row counts once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import Any

import pytest

from cli.event_files.again import announce_again
from sluice.event_files.convert.leaving_out import leave_out
from sluice.event_files.convert.planning import Planned
from sluice.event_files.ledger.model import CLEAN_PREFIX
from sluice.lake.lease import LeaseLostError
from sluice.lake.object_store_s3 import S3ObjectStore
from tests.event_files.integration.convert.test_again import deliver, deployed
from tests.event_files.integration.convert.test_left_out import ALL, SECOND, arrive, ids, spoil
from tests.support.moto.stage import LAKE, MotoStage
from tests.support.snapshots import assert_books_balance, ledger, tables

PATIENCE = 60.0  # seconds; nothing waits as long


class LateStore(S3ObjectStore):
    """The lake as a call sees it that stops before its n-th change of the lake, until it may go on."""

    def __init__(self, stage: MotoStage, changes: int) -> None:
        super().__init__(stage.s3, LAKE)
        self._changes = changes
        self.stopped, self.go = Event(), Event()

    def write(self, key: str, body: Any) -> str:
        self._stop()
        return super().write(key, body)

    def write_all(self, bodies: Any) -> None:
        self._stop()
        super().write_all(bodies)

    def replace(self, key: str, body: bytes, etag: str | None) -> bool:
        self._stop()
        return super().replace(key, body, etag)

    def delete(self, keys: Any) -> None:
        self._stop()
        super().delete(keys)

    def _stop(self) -> None:
        self._changes -= 1
        if self._changes == 0:
            self.stopped.set()
            assert self.go.wait(PATIENCE)


@contextmanager
def late(stage: MotoStage, changes: int, call: Callable[[S3ObjectStore], object]) -> Iterator[None]:
    """Let a call stop before one of its changes, and go on behind the context."""
    store, done = LateStore(stage, changes), Event()

    def work() -> None:
        with suppress(LeaseLostError):  # as its twin may have it
            call(store)
        done.set()
        store.stopped.set()

    thread = Thread(target=work)
    thread.start()
    try:
        assert store.stopped.wait(PATIENCE)
        yield
    finally:
        store.go.set()
        thread.join(PATIENCE)
    assert done.is_set()


def half_lost(stage: MotoStage) -> tuple[Planned, str]:
    """Two chunks that are planned, of which the first is lost when a call has read it; return the plan and its id."""
    arrive(stage)
    planned = stage.plan("a")
    return planned, min(chunk["sk"] for chunk in ledger("chunk#pending"))


@pytest.mark.parametrize("again", [True, False], ids=["validated again", "restored"])
@pytest.mark.parametrize("changes", [1, 2, 3, 4])
def test_a_late_attempt_at_a_group_whose_chunk_was_left_out(moto_stage: MotoStage, changes: int, again: bool) -> None:
    planned, chunk_id = half_lost(moto_stage)
    (group,) = moto_stage.read_plan(planned).groups
    with late(moto_stage, changes, lambda store: moto_stage.work(group, store)):
        key, whole = spoil(moto_stage, CLEAN_PREFIX, lambda _: None)
        summary = moto_stage.convert("a")
        assert summary is not None
        assert [each["chunk_id"] for each in summary.left_out] == [chunk_id]
        assert ids() == SECOND
    assert ids() == SECOND, "nobody sees what it wrote"
    if again:
        commands = deployed(moto_stage)
        announce_again(commands, [chunk_id])
        deliver(moto_stage, commands)
    else:
        moto_stage.lake.write(key, whole)
    moto_stage.convert("b")
    assert ids() == ALL
    assert len(tables()["PROFILING_LOG"]) == 5
    assert_books_balance()


@pytest.mark.parametrize("changes", [1, 2, 3, 4])
def test_a_late_attempt_at_a_group_that_is_converted_without_the_chunk(moto_stage: MotoStage, changes: int) -> None:
    """It ends between the plan without the chunk and the conversion by that plan."""
    planned, chunk_id = half_lost(moto_stage)
    (group,) = moto_stage.read_plan(planned).groups
    with late(moto_stage, changes, lambda store: moto_stage.work(group, store)):
        key, whole = spoil(moto_stage, CLEAN_PREFIX, lambda _: None)
        moto_stage.convert_batches(planned)
        following = moto_stage.leave_out(planned)
        assert following is not None
    moto_stage.convert_batches(following)
    assert moto_stage.leave_out(following) is None
    assert [each["chunk_id"] for each in moto_stage.commit(following).left_out] == [chunk_id]
    moto_stage.profile(following)
    assert ids() == SECOND
    moto_stage.lake.write(key, whole)
    moto_stage.convert("b")
    assert ids() == ALL
    assert_books_balance()


@pytest.mark.parametrize("changes", [1, 2, 3, 4])
def test_a_late_attempt_to_leave_out(moto_stage: MotoStage, changes: int) -> None:
    planned, _ = half_lost(moto_stage)
    plan = moto_stage.read_plan(planned)
    assert planned.plan_key
    key, whole = spoil(moto_stage, CLEAN_PREFIX, lambda _: None)
    moto_stage.convert_batches(planned)
    with late(
        moto_stage,
        changes,
        lambda store: leave_out(plan, planned.plan_key or "", store, moto_stage.tables, moto_stage.runs),
    ):
        moto_stage.convert("a")
        assert ids() == SECOND
    assert ids() == SECOND, "it takes nothing away"
    assert not ledger("run")
    moto_stage.lake.write(key, whole)
    moto_stage.convert("b")
    assert ids() == ALL
    assert_books_balance()
