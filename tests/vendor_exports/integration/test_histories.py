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
