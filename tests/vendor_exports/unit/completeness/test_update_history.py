"""The hourly update: settled hours, each once, from the first folder on."""

from datetime import timedelta

import pytest

from sluice.vendor_exports.completeness.history_files import state_key
from sluice.vendor_exports.completeness.update_history import Updated, output_keys
from tests.vendor_exports.unit.completeness.deliveries import FIRST, PROD, TEST, Bucket, job, schema, settled, slots


@pytest.fixture
def bucket() -> Bucket:
    bucket = Bucket()
    bucket.deliver(FIRST, job(["A"], schema("A", "B")))
    bucket.deliver(FIRST.after(3), job(["A", "B"], schema("A", "B")))
    return bucket


def test_an_hour_is_observed_when_it_is_over_by_thirty_minutes(bucket: Bucket) -> None:
    just_before = settled(FIRST.after()) - timedelta(microseconds=1)
    assert bucket.update(just_before) == Updated((FIRST,), 0)
    assert bucket.dates() == [str(FIRST)]
    assert bucket.update(settled(FIRST.after())) == Updated((FIRST.after(),), 0)
    assert bucket.dates() == [str(slot) for slot in slots(2)]


def test_a_history_begins_at_the_first_folder(bucket: Bucket) -> None:
    bucket.objects.update(dict.fromkeys([f"{TEST.hourly}20250101/x", f"{TEST.hourly}99/99/x", f"{TEST.root}x"], b""))
    bucket.update(settled(FIRST.after(5)))
    assert bucket.dates() == [str(slot) for slot in slots(6)]


@pytest.mark.parametrize("early", [timedelta(0), timedelta(minutes=89)])
def test_without_a_settled_hour_nothing_is_written(bucket: Bucket, early: timedelta) -> None:
    before = dict(bucket.objects)
    assert bucket.update(settled(FIRST), environment=PROD) == Updated((), 0)
    assert bucket.update(FIRST.hour + early) == Updated((), 0)
    assert bucket.objects == before


def test_environments_are_kept_apart(bucket: Bucket) -> None:
    bucket.deliver(FIRST.after(), job(["Z"]), PROD)
    for environment in (TEST, PROD):
        bucket.update(settled(FIRST.after(2)), environment=environment)
    assert bucket.dates(PROD) == [str(slot) for slot in slots(3)[1:]]
    assert not set(output_keys(PROD)) & set(output_keys(TEST))


def test_an_update_observes_a_limited_number_of_slots(bucket: Bucket) -> None:
    now = settled(FIRST.after(9))
    left = [bucket.update(now, max_slots=4).waiting for _ in range(4)]
    assert left == [6, 2, 0, 0]
    assert bucket.dates() == [str(slot) for slot in slots(10)]


def test_slots_are_observed_again_when_asked(bucket: Bucket) -> None:
    bucket.update(settled(FIRST.after(4)))
    before = bucket.outputs()
    bucket.deliver(FIRST.after(), {"A_9": b"late"})
    assert bucket.update(settled(FIRST.after(4))).observed == ()
    assert bucket.outputs() == before
    later, others = settled(FIRST.after(4)) + timedelta(minutes=1), [FIRST.after(-1), FIRST.after(5), FIRST.after(99)]
    assert bucket.update(later, [FIRST.after(), *others]).observed == (FIRST.after(),)
    assert bucket.outputs() != before
    assert bucket.dates() == [str(slot) for slot in slots(5)]


def test_a_slot_is_not_observed_again_before_it_is_settled(bucket: Bucket) -> None:
    bucket.update(settled(FIRST.after(2)))
    assert bucket.update(settled(FIRST), [FIRST.after(2), FIRST]).observed == (FIRST,)


def test_gaps_between_initialisations_are_observed(bucket: Bucket) -> None:
    now = settled(FIRST.after(9))
    bucket.initialise(FIRST, FIRST.after(2), now)
    bucket.initialise(FIRST.after(6), FIRST.after(7), now)
    assert bucket.update(now).observed == tuple(slots(10)[3:6] + slots(10)[8:])
    assert bucket.dates() == [str(slot) for slot in slots(10)]


def test_an_observation_of_the_same_content_changes_the_state_only(bucket: Bucket) -> None:
    now = settled(FIRST.after(2))
    bucket.update(now)
    bucket.written.clear()
    bucket.update(now + timedelta(minutes=1), slots(3))
    assert bucket.written == [state_key(TEST)]


def test_keys_of_outputs(bucket: Bucket) -> None:
    bucket.update(settled(FIRST))
    folder = "DEV/IMOSDL/DataObservability/"
    assert {key for key in bucket.objects if "/Hourly/" not in key} == {
        *(f"{folder}historical_{name}.csv" for name in ("job_metrics", "table_metrics", "job_size")),
        f"{folder}observations.parquet",
        f"{folder}report.html",
    }
