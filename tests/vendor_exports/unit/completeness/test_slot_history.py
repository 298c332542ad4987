"""The rows of the histories, worked out by hand."""

from hypothesis import given
from hypothesis import strategies as st

from cli.simulator.exports import Exports, files_of
from cli.simulator.vendor_faults import column_added, schema_upgraded, table_added, volume_changed
from sluice.vendor_exports.completeness.observations import observe
from sluice.vendor_exports.completeness.slot_history import SchemaChange, derive
from tests.vendor_exports.unit.completeness.deliveries import FIRST, OUT_OF_SCOPE, TEST, Bucket, seen, settled, slots

WEEK = 7 * 24


def test_missing_and_unexpected_tables() -> None:
    (row,) = derive([seen(FIRST, ["B", "X", "Ignored"], ["A", "B", "C", "Ignored"], size=5)], OUT_OF_SCOPE)
    assert (row.slot, row.delivered, row.files, row.size) == (FIRST, True, 3, 5)
    assert row.expected == ("A", "B", "C")
    assert row.missing == ("A", "C")
    assert row.unexpected == ("X",)
    assert row.completeness == 1 / 3


def test_the_schema_is_carried_forward() -> None:
    """A job without a readable schema is held against the last one, an hour without delivery misses all of it."""
    first, second, third, fourth = slots(4)
    rows = derive(
        [seen(first, ["A"], ["A", "B"]), seen(second), seen(third, ["A", "X"]), seen(fourth, ["C"], ["C"])], ()
    )
    assert [row.expected for row in rows] == [("A", "B")] * 3 + [("C",)]
    assert [row.missing for row in rows] == [("B",), ("A", "B"), ("B",), ()]
    assert [row.unexpected for row in rows] == [(), (), ("X",), ()]
    assert [row.completeness for row in rows] == [0.5, 0, 0.5, 1]


def test_before_any_schema_nothing_is_expected() -> None:
    first, second = slots(2)
    rows = derive([seen(first, ["A"]), seen(second)], ())
    assert [(row.expected, row.missing, row.unexpected) for row in rows] == [((), (), ())] * 2
    assert [row.completeness for row in rows] == [1, 0]


def test_changes_of_the_schema() -> None:
    masters: list[list[str | tuple[str, str]] | None] = [
        ["A", "B"],
        None,
        ["A", "B"],
        [("A", "1"), "C"],
        [("A", "1"), "C"],
    ]
    rows = derive([seen(slot, ["A"], master) for slot, master in zip(slots(5), masters, strict=True)], ())
    changed = SchemaChange(added=("C",), removed=("B",), altered=("A",))
    assert [row.change for row in rows] == [SchemaChange()] * 3 + [changed, SchemaChange()]


def test_usual_size() -> None:
    """Of the eight weeks before, delivered jobs only, from three of them on; what comes later does not matter."""
    history = [seen(slot) for slot in slots(11 * WEEK)]
    sizes = [10, 20, 31, None, 40, 50, 60, 70, 80, 90, 1000]
    for week, size in enumerate(sizes):
        history[week * WEEK] = seen(FIRST.after(week * WEEK), () if size is None else ["A"], size=size or 0)
    usual = [row.usual_size for row in derive(history, ())]
    assert usual[::WEEK] == [None, None, None, 20, 20, 26, 31, 36, 40, 50, 60]
    assert {each for at, each in enumerate(usual) if at % WEEK} == {None}


def test_unusual_deliveries_of_the_vendor() -> None:
    usual = Exports(files=10)
    larger = table_added().exports(column_added().exports(volume_changed(20).exports(usual)))
    upgraded = schema_upgraded().exports(volume_changed(0.01).exports(usual))
    bucket, weeks = Bucket(), [FIRST.after(week * WEEK) for week in range(5)]
    for slot, exports in zip(weeks, [usual, usual, usual, larger, upgraded], strict=True):
        bucket.deliver(slot, {name: content.read() for name, content in files_of(exports).items()})
    *_, more, less = derive(observe(bucket, TEST, weeks, settled(weeks[-1])), ())
    assert (more.missing, more.unexpected, more.change) == ((), ("CrewWages",), SchemaChange(altered=("Voyage",)))
    assert (less.missing, less.unexpected) == ((), ())
    assert (less.change.added, less.change.removed) == (("VesselV2",), ("Vessel",))
    assert more.size > 5 * (more.usual_size or more.size)
    assert less.size < (less.usual_size or 0) / 2


NAMES = st.lists(st.sampled_from("ABCDEF"), unique=True)


@given(st.lists(st.tuples(NAMES, st.none() | NAMES.filter(bool))), NAMES)
def test_delivered_and_missing_are_the_expected(
    jobs: list[tuple[list[str], list[str] | None]], out_of_scope: list[str]
) -> None:
    observations = [seen(slot, *job) for slot, job in zip(slots(len(jobs)), jobs, strict=True)]
    for row, (tables, _) in zip(derive(observations, out_of_scope), jobs, strict=True):
        assert set(row.missing) == set(row.expected) - set(tables)
        assert not set(row.expected) & set(out_of_scope)
        assert set(row.unexpected) == (set(tables) - set(row.expected) - set(out_of_scope) if row.expected else set())
        assert 0 <= row.completeness <= 1
