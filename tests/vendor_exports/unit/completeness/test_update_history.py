"""The hourly update: settled hours, each once, from the first folder on."""

from datetime import timedelta

import pytest

from sluice.vendor_exports.completeness.history_files import history_key, state_key
from sluice.vendor_exports.completeness.update_history import Updated
from tests.support.memory_object_store import MemoryObjectStore
from tests.vendor_exports.unit.completeness.deliveries import (
    FIRST,
    PROD,
    TEST,
    dates,
    deliver,
    initialise,
    job,
    outputs,
    schema,
    settled,
    slots,
    updating,
)


@pytest.fixture
def bucket() -> MemoryObjectStore:
    bucket = MemoryObjectStore()
    deliver(bucket, FIRST, job(["A"], schema("A", "B")))
    deliver(bucket, FIRST.after(3), job(["A", "B"], schema("A", "B")))
    return bucket


def test_an_hour_is_observed_when_it_is_over_by_thirty_minutes(bucket: MemoryObjectStore) -> None:
    just_before = settled(FIRST.after()) - timedelta(microseconds=1)
    assert updating(bucket).update(TEST, just_before) == Updated((FIRST,), 0)
    assert dates(bucket) == [str(FIRST)]
    assert updating(bucket).update(TEST, settled(FIRST.after())) == Updated((FIRST.after(),), 0)
    assert dates(bucket) == [str(slot) for slot in slots(2)]


def test_a_history_begins_at_the_first_folder(bucket: MemoryObjectStore) -> None:
    bucket.objects.update(dict.fromkeys([f"{TEST.hourly}20250101/x", f"{TEST.hourly}99/99/x", f"{TEST.root}x"], b""))
    updating(bucket).update(TEST, settled(FIRST.after(5)))
    assert dates(bucket) == [str(slot) for slot in slots(6)]


@pytest.mark.parametrize("early", [timedelta(0), timedelta(minutes=89)])
def test_without_a_settled_hour_nothing_is_written(bucket: MemoryObjectStore, early: timedelta) -> None:
    before = dict(bucket.objects)
    assert updating(bucket).update(PROD, settled(FIRST)) == Updated((), 0)
    assert updating(bucket).update(TEST, FIRST.hour + early) == Updated((), 0)
    assert bucket.objects == before


def test_environments_are_kept_apart(bucket: MemoryObjectStore) -> None:
    deliver(bucket, FIRST.after(), job(["Z"]), PROD)
    for environment in (TEST, PROD):
        updating(bucket).update(environment, settled(FIRST.after(2)))
    assert dates(bucket, PROD) == [str(slot) for slot in slots(3)[1:]]
    assert not outputs(bucket, PROD).keys() & outputs(bucket, TEST).keys()


def test_an_update_observes_a_limited_number_of_slots(bucket: MemoryObjectStore) -> None:
    now = settled(FIRST.after(9))
    left = [updating(bucket, 4).update(TEST, now).waiting for _ in range(4)]
    assert left == [6, 2, 0, 0]
    assert dates(bucket) == [str(slot) for slot in slots(10)]


def test_slots_are_observed_again_when_asked(bucket: MemoryObjectStore) -> None:
    updating(bucket).update(TEST, settled(FIRST.after(4)))
    before = outputs(bucket)
    deliver(bucket, FIRST.after(), {"A_9": b"late"})
    assert updating(bucket).update(TEST, settled(FIRST.after(4))).observed == ()
    assert outputs(bucket) == before
    later, others = settled(FIRST.after(4)) + timedelta(minutes=1), [FIRST.after(-1), FIRST.after(5), FIRST.after(99)]
    assert updating(bucket).update(TEST, later, [FIRST.after(), *others]).observed == (FIRST.after(),)
    assert outputs(bucket) != before
    assert dates(bucket) == [str(slot) for slot in slots(5)]


def test_a_slot_is_not_observed_again_before_it_is_settled(bucket: MemoryObjectStore) -> None:
    updating(bucket).update(TEST, settled(FIRST.after(2)))
    assert updating(bucket).update(TEST, settled(FIRST), [FIRST.after(2), FIRST]).observed == (FIRST,)


def test_gaps_between_initialisations_are_observed(bucket: MemoryObjectStore) -> None:
    now = settled(FIRST.after(9))
    initialise(bucket, FIRST, FIRST.after(2), now)
    initialise(bucket, FIRST.after(6), FIRST.after(7), now)
    assert updating(bucket).update(TEST, now).observed == tuple(slots(10)[3:6] + slots(10)[8:])
    assert dates(bucket) == [str(slot) for slot in slots(10)]


def test_an_observation_of_the_same_content_changes_the_state_only(bucket: MemoryObjectStore) -> None:
    now = settled(FIRST.after(2))
    updating(bucket).update(TEST, now)
    bucket.written.clear()
    updating(bucket).update(TEST, now + timedelta(minutes=1), slots(3))
    assert bucket.written == [state_key(TEST)]


def test_keys_of_outputs(bucket: MemoryObjectStore) -> None:
    updating(bucket).update(TEST, settled(FIRST))
    folder = "DEV/IMOSDL/DataObservability/"
    assert {key for key in bucket.objects if "/Hourly/" not in key} == {
        *(f"{folder}historical_{name}.csv" for name in ("job_metrics", "table_metrics", "job_size")),
        f"{folder}observations.parquet",
        f"{folder}report.html",
        "data/history/Test/HISTORICAL_JOB_METRICS.parquet/history.parquet",
        "data/history/Test/HISTORICAL_TABLE_METRICS.parquet/history.parquet",
        "data/history/Test/HISTORICAL_JOB_SIZE.parquet/history.parquet",
    }
    assert history_key(PROD, "T") == "data/history/Prod/T.parquet/history.parquet"
