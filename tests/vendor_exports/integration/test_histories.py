"""Histories on S3: conditional writes keep two updates from undoing each other."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.completeness.history_files import state_key
from sluice.vendor_exports.completeness.initialise_history import merge_parts, observe_part, write_plan
from sluice.vendor_exports.completeness.update_history import HistoryPublisher, HistoryUpdater, output_keys
from tests.support.aws_calls import READS, AwsUnavailableError, Call, KilledError, call_failures
from tests.support.moto_backend import objects_of
from tests.support.moto_stage import LAKE, MotoStage
from tests.vendor_exports.unit.completeness.deliveries import FIRST, job, report, schema, settled, slots

TEST = Environment.TEST
LAST = FIRST.after(3)
LATE = FIRST.folder(TEST) + "A_late.json"


@pytest.fixture
def store(moto_stage: MotoStage) -> S3ObjectStore:
    return S3ObjectStore(moto_stage.s3, LAKE)


@pytest.fixture
def delivered(moto_stage: MotoStage) -> None:
    deliver(moto_stage)


def deliver(moto_stage: MotoStage) -> None:
    for slot in (FIRST, LAST):
        for name, body in job(["A", "B"], schema("A", "B", "C"), size=10).items():
            moto_stage.lake.write(slot.folder(TEST) + name, body)


def updating(store: Any, max_slots: int = 100) -> HistoryUpdater:
    return HistoryUpdater(store, HistoryPublisher(store, report, ["Ignored"]), max_slots)


def outputs() -> dict[str, bytes]:
    objects = objects_of(LAKE)
    return {key: objects[key] for key in output_keys(TEST)}


def forget_histories(moto_stage: MotoStage) -> None:
    moto_stage.lake.delete([state_key(TEST), *output_keys(TEST)])


@pytest.mark.usefixtures("delivered")
def test_update_and_initialisation_agree(moto_stage: MotoStage, store: S3ObjectStore) -> None:
    updating(store).update(TEST, settled(LAST))
    updated = outputs()
    assert len(updated[output_keys(TEST)[0]].splitlines()) == 1 + len(slots(4))
    forget_histories(moto_stage)
    for part in write_plan(store, "run", TEST, FIRST, LAST, settled(LAST)):
        observe_part(store, part, settled(LAST))
    assert merge_parts(store, HistoryPublisher(store, report, ["Ignored"]), "run") == 4
    assert outputs() == updated


class Interrupted:
    """A store before whose calls something else happens, once before each of the given ones."""

    def __init__(self, store: S3ObjectStore, happens: dict[int, Callable[[], object]]) -> None:
        self._store = store
        self._happens = happens
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        self.calls += 1
        self._happens.get(self.calls, lambda: None)()
        return getattr(self._store, name)


def test_two_updates_at_once_end_in_the_same_files(moto_stage: MotoStage, store: S3ObjectStore) -> None:
    """One has observed a file that comes and goes; the other, before a call of the first, observes more hours."""
    deliver(moto_stage)
    updating(store).update(TEST, settled(LAST))
    wanted = outputs()
    for moments in [*((at,) for at in range(1, 22, 3)), (3, 9, 13), (12, 20, 21)]:
        forget_histories(moto_stage)
        updating(store).update(TEST, settled(FIRST.after()))
        moto_stage.lake.write(LATE, b"late")
        other = Other(moto_stage, store)
        first = Interrupted(store, dict.fromkeys(moments, other.update))
        updating(first).update(TEST, settled(FIRST.after(2)), [FIRST])
        assert first.calls >= moments[-1]
        assert outputs() == wanted, f"another update before calls {moments}"


class Other:
    """The second update: each run is later than the one before."""

    def __init__(self, moto_stage: MotoStage, store: S3ObjectStore) -> None:
        self._moto_stage, self._store = moto_stage, store
        self._now = settled(LAST)

    def update(self) -> None:
        self._moto_stage.lake.delete([LATE])
        self._now += timedelta(minutes=1)
        updating(self._store).update(TEST, self._now, slots(4))


def test_a_crash_at_any_call(moto_stage: MotoStage, store: S3ObjectStore) -> None:
    """The update is tried again, as the machine does."""
    deliver(moto_stage)
    with moto_stage.calls.record() as operations:
        updating(store).update(TEST, settled(LAST))
    wanted = outputs()
    for failure in call_failures([each for each in operations if each not in READS]):
        forget_histories(moto_stage)
        with moto_stage.calls.intercept(writes_only(failure)), suppress(AwsUnavailableError, KilledError):
            updating(store).update(TEST, settled(LAST))
        updating(store).update(TEST, settled(LAST) + timedelta(minutes=1))
        assert outputs() == wanted, str(failure)


def writes_only(failure: Any) -> Callable[[str, Call], Any]:
    """Reads change nothing, and come from many threads."""
    return lambda operation, call: call() if operation in READS else failure(operation, call)
