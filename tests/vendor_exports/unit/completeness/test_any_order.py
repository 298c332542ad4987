"""Any order, repetition and splitting of updates gives the files of one pass, byte for byte."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.vendor_exports.delivery.model import Slot
from tests.vendor_exports.unit.completeness.deliveries import FIRST, TEST, Bucket, job, schema, settled, slots

HOURS = 20
LAST = FIRST.after(HOURS - 1)
END = settled(LAST)

AN_HOUR = st.integers(0, HOURS - 1)
NAMES = st.lists(st.sampled_from(["A", "B", "C", "=D", "Ignored", "e,;\n"]), unique=True)
JOBS = st.builds(job, NAMES, st.none() | st.just(b"damaged") | NAMES.map(lambda names: schema(*names)))
CONTENT = st.dictionaries(AN_HOUR, JOBS, max_size=HOURS)
UPDATES = st.tuples(AN_HOUR, st.integers(1, HOURS), st.lists(AN_HOUR, max_size=3))
STEPS = st.lists(UPDATES | st.tuples(AN_HOUR, AN_HOUR), max_size=5)

Content = dict[int, dict[str, bytes]]
Step = tuple[int, int, list[int]] | tuple[int, int]


def bucket_of(*contents: Content) -> Bucket:
    """The first slot has a file in any case: histories begin there."""
    bucket = Bucket()
    bucket.deliver(FIRST, {"_Script.sql": b""})
    for content in contents:
        add(bucket, content)
    return bucket


def add(bucket: Bucket, content: Content) -> None:
    for hour, files in content.items():
        bucket.deliver(FIRST.after(hour), files)


def one_pass(*contents: Content) -> dict[str, bytes]:
    bucket = bucket_of(*contents)
    bucket.update(END)
    return bucket.outputs()


def take(bucket: Bucket, step: Step, number: int) -> None:
    """An update as of some hour, of at most so many slots, some again; or an initialisation of a range."""
    if len(step) == 2:
        bucket.initialise(FIRST.after(min(step)), FIRST.after(max(step)), END, f"run-{number}")
        return
    hour, max_slots, again = step
    bucket.update(settled(FIRST.after(hour)), [FIRST.after(each) for each in again], max_slots=max_slots)


def finish(bucket: Bucket, again: Sequence[Slot] = ()) -> None:
    """Update until nothing waits, and from the first slot on."""
    bucket.initialise(FIRST, FIRST, END, "run-first")
    while bucket.update(END, max_slots=7).waiting:
        continue
    bucket.update(END + timedelta(minutes=1), again)


@settings(max_examples=40)
@given(CONTENT, CONTENT, STEPS)
def test_any_order_repetition_and_splitting(content: Content, late: Content, steps: list[Step]) -> None:
    """Files that come late are observed again."""
    bucket = bucket_of(content)
    for number, step in enumerate(steps):
        take(bucket, step, number)
        assert_in_order(bucket)
    add(bucket, late)
    finish(bucket, [FIRST.after(hour) for hour in late])
    assert bucket.outputs() == one_pass(content, late)
    assert bucket.dates() == [str(slot) for slot in slots(HOURS)]


def assert_in_order(bucket: Bucket) -> None:
    """Never a duplicate, never an earlier row behind a later one."""
    if any(key.startswith(f"{TEST.root}DataObservability/") for key in bucket.objects):
        assert all(before < after for before, after in pairwise(bucket.dates()))
