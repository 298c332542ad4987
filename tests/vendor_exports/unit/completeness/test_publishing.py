"""Outputs never get older, whatever another update writes between any two calls of ours."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import count, product
from typing import Any

import pytest

from sluice.vendor_exports.completeness.history_files import HISTORY_TABLES, REPORT, observability_key
from sluice.vendor_exports.completeness.history_formats import CSV_NAMES, arrow_table, history_csv
from sluice.vendor_exports.completeness.observations import HistoryBusyError, observe
from sluice.vendor_exports.completeness.slot_history import derive
from tests.support.memory_object_store import nothing
from tests.support.moto.aws_calls import KilledError
from tests.vendor_exports.unit.completeness.deliveries import (
    FIRST,
    OUT_OF_SCOPE,
    TEST,
    Bucket,
    job,
    report,
    schema,
    settled,
    slots,
)

LAST = FIRST.after(5)
REPORT_KEY = observability_key(TEST, REPORT)
LATE = {"A_2.json.gz": b"late"}

Step = Callable[[Bucket], object]


def deliveries() -> Bucket:
    bucket = Bucket()
    for slot in slots(6)[::2]:
        bucket.deliver(slot, job(["A"]))
    return bucket


def one_after_the_other(*steps: Step) -> dict[str, Any]:
    bucket = deliveries()
    for step in steps:
        step(bucket)
    return bucket.outputs()


def no_update(_: Bucket) -> object:
    return None


def early_update(bucket: Bucket) -> object:
    return bucket.update(settled(FIRST.after(2)))


def late_update(bucket: Bucket) -> object:
    return bucket.update(settled(LAST))


def there_and_back(bucket: Bucket) -> None:
    """A file comes and goes: the outputs end as they were, under the ETags they had."""
    now = settled(LAST) + timedelta(minutes=1)
    bucket.deliver(FIRST, LATE)
    bucket.update(now, [FIRST])
    del bucket.objects[FIRST.folder(TEST) + "A_2.json.gz"]
    bucket.update(now + timedelta(minutes=1), [FIRST])


def file_came(bucket: Bucket) -> None:
    late_update(bucket)
    bucket.deliver(FIRST, LATE)


def observe_again(bucket: Bucket) -> None:
    bucket.update(settled(LAST) + timedelta(minutes=1), [FIRST])


def file_went(bucket: Bucket) -> None:
    """What was begun is derived from a state with the file, and finds the ETags that it has read: it must try again."""
    bucket.objects.pop(FIRST.folder(TEST) + "A_2.json.gz")
    bucket.update(settled(LAST) + timedelta(minutes=2), [FIRST])


def interrupt(bucket: Bucket, at: int, happens: Step) -> None:
    """Let something happen before the call number `at`; `between` is `nothing` once it did."""
    calls = 0

    def between() -> None:
        nonlocal calls
        calls += 1
        if calls == at:
            bucket.between = nothing
            happens(bucket)

    bucket.between = between


def test_outputs_are_those_of_the_rows() -> None:
    bucket = deliveries()
    bucket.deliver(LAST, job(["A", "Ignored", "X"], schema("A", "B", "Ignored")))
    late_update(bucket)
    rows = derive(observe(bucket, TEST, slots(6), settled(LAST)), OUT_OF_SCOPE)
    assert (rows[-1].expected, rows[-1].unexpected) == (("A", "B"), ("X",))
    assert bucket.outputs() == {
        **{observability_key(TEST, name): history_csv(name, rows) for name in CSV_NAMES},
        REPORT_KEY: report(TEST, rows, list(OUT_OF_SCOPE)),
        **{table.name: arrow_table(table, rows) for table in HISTORY_TABLES},
    }


UPDATES = [early_update, late_update]
ORDERS = [
    *product([no_update, early_update], UPDATES, [*UPDATES, there_and_back]),
    (file_came, observe_again, file_went),
]


@pytest.mark.parametrize(("before", "begun", "happens"), ORDERS)
def test_another_update_between_any_two_calls(before: Step, begun: Step, happens: Step) -> None:
    wanted = one_after_the_other(before, begun, happens)
    for at in count(1):
        bucket = deliveries()
        before(bucket)
        interrupt(bucket, at, happens)
        begun(bucket)
        if bucket.between is not nothing:
            break
        assert bucket.outputs() == wanted, f"interrupted before call {at}"
    assert at > 10


def test_an_update_after_one_that_was_killed_before_any_call() -> None:
    wanted = one_after_the_other(late_update)
    for at in range(1, 40):
        bucket = deliveries()
        interrupt(bucket, at, killed)
        with suppress(KilledError):
            late_update(bucket)
        bucket.between = nothing
        late_update(bucket)
        assert bucket.outputs() == wanted, f"killed before call {at}"


def killed(_: Bucket) -> None:
    raise KilledError


def test_outputs_that_others_keep_writing() -> None:
    bucket, numbers = deliveries(), count()
    late_update(bucket)
    bucket.between = lambda: bucket.objects.update({REPORT_KEY: str(next(numbers)).encode()})
    with pytest.raises(HistoryBusyError, match=r"an output of Test was written by others.*run the update again"):
        bucket.publisher.publish(TEST)
    assert bucket.dates() == [str(slot) for slot in slots(6)]


def test_a_state_that_others_keep_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = deliveries()
    early_update(bucket)
    before = dict(bucket.objects)
    monkeypatch.setattr(bucket, "replace", lambda *_: False)
    with pytest.raises(HistoryBusyError, match=r"observations.parquet was written by others"):
        late_update(bucket)
    assert bucket.objects == before
