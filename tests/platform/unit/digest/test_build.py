"""Digests: their figures are those of the records, by hour, by day and in whole."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.lake.object_store import iso
from sluice.observability import prices
from sluice.observability.digest.message import document_of
from sluice.observability.digest.model import Digest
from sluice.observability.digest.periods import Period, PeriodKind
from sluice.runs.model import RunRecord
from sluice.vendor_exports.completeness.slot_history import SlotHistory
from tests.platform.unit.digest.sample_runs import END, TABLES, busy_stage, conversion, digest_of, exported, hour, run

BUSY = busy_stage(END, 36)
WEEK = Period(PeriodKind.WEEK, END)
DAY = timedelta(days=1)
Counted = int | dict[str, int]
"""Clean events, or the counts that are others than usual."""


def digest(records: list[RunRecord], period: Period = WEEK, exports: Iterable[SlotHistory] = ()) -> Digest:
    return digest_of("int", period, records, exports)


def member(found: Digest, name: str) -> Any:
    """A member of the document that a section makes."""
    return document_of(found)[name]


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(PeriodKind), st.integers(0, 300), st.integers(1, 1000))
def test_sums_of_hours_and_days_are_those_of_the_period(kind: PeriodKind, hours: int, seed: int) -> None:
    records = random.Random(seed).sample(BUSY, 600)
    period = Period(kind, END - timedelta(minutes=50 * hours))
    found = digest(records, period)
    inside = [each for each in records if iso(period.window.start) <= each.started_at < iso(period.end)]
    for parts in (found.hourly.values(), found.parts.values(), [found.total]):
        assert sum(part.runs(each) for part in parts for each in found.kinds) == len(inside)
        assert sum(part.count("convert", "events") for part in parts) == sum(
            each.counts.get("events", 0) for each in inside
        )
        assert sum(sum(part.rows.values()) for part in parts) == found.volume("rows").value
        assert sum(sum(part.dirty.values()) for part in parts) == found.volume("dirty").value
        assert sum(part.failed("convert") for part in parts) == found.total.failed("convert")
    assert sum(each["events"] for each in member(found, "dirty")) == found.volume("dirty").value
    rows = {table: each["rows"] for table, each in member(found, "tables").items() if each["rows"]}
    assert rows == {table: count for table, count in found.total.rows.items() if count}


def test_the_order_of_records_does_not_matter() -> None:
    shuffled = random.Random(1).sample(BUSY, len(BUSY))
    assert document_of(digest(BUSY, exports=exported(END, 9))) == document_of(
        digest(shuffled, exports=exported(END, 9)[::-1])
    )


def test_an_empty_stage() -> None:
    found = digest([])
    assert found.is_empty
    assert found.notices == ()
    assert found.total.success("convert") is None
    assert member(found, "clean_share") == {"value": None, "usual": None}
    assert found.cost.dollars == 0
    assert {volume.value for volume in found.volumes} == {0}


def test_one_record_on_a_young_stage_is_compared_with_nothing() -> None:
    found = digest([conversion(END - timedelta(minutes=5), 100, 25)])
    assert member(found, "clean_share") == {"value": 0.8, "usual": None}
    assert found.total.success("convert") == 1
    assert {volume.usual for volume in found.volumes} == {None}
    assert [(each["events"], each["before"], each["new"]) for each in member(found, "dirty")] == [(25, None, False)]
    assert found.notices == ()


def test_the_usual_is_the_median_of_the_same_days_of_earlier_weeks() -> None:
    clean = {0: 500, 7: 100, 14: 300, 21: 900, 28: 200, 3: 7000, 10: 8000}
    found = digest([conversion(END - DAY * (ago + 1), n) for ago, n in clean.items()], Period(PeriodKind.DAY, END))
    assert len(found.earlier) == 4
    assert (found.volume("clean").value, found.volume("clean").usual) == (500, 250)
    assert member(found, "tables")[TABLES[0]]["usual"] == 250
    assert found.volume("clean").ratio == 2


@pytest.mark.parametrize(("first_day", "compared"), [(8, 1), (7.5, 0), (15, 2), (20, 2), (29, 4)])
def test_days_without_records_from_the_begin_are_not_usual(first_day: float, compared: int) -> None:
    records = [each for each in BUSY if each.started_at >= iso(END - first_day * DAY)]
    assert len(digest(records, Period(PeriodKind.DAY, END)).earlier) == compared


def test_a_reason_is_new_where_its_table_did_not_have_it_before() -> None:
    earlier = conversion(END - 9 * DAY, 10, 3, table="A")
    now = conversion(END - DAY, 10, dirty={"A": {"RULE_BROKEN": 1, "FRAGMENT": 2}, "B": {"RULE_BROKEN": 5}})
    found = digest([conversion(END - 30 * DAY, 10, 3, table="B"), earlier, now])
    assert member(found, "dirty") == [
        {"table": "B", "reason": "RULE_BROKEN", "events": 5, "before": 0, "new": True},
        {"table": "A", "reason": "FRAGMENT", "events": 2, "before": 0, "new": True},
        {"table": "A", "reason": "RULE_BROKEN", "events": 1, "before": 3, "new": False},
    ]


def test_failed_runs_are_listed_newest_first_and_slow_ones_slowest_first() -> None:
    ordinary = [conversion(END - timedelta(hours=hours)) for hours in range(1, 20)]
    slow = [conversion(END - timedelta(hours=hours, minutes=1), seconds=40.0 + hours) for hours in (2, 5)]
    failed = [run(END - timedelta(hours=h, minutes=2), outcome="failed", seconds=900) for h in (4, 3)]
    found = digest([*ordinary, *slow, *failed])
    assert [each.run for each in found.slow] == slow[::-1]
    assert {each.usual for each in found.slow} == {10.0}
    assert list(found.failed) == failed[::-1]
    assert found.total.success("convert") == 1 - 2 / 23


def test_nothing_on_an_ordinary_week() -> None:
    records = [conversion(END - timedelta(minutes=30 * number)) for number in range(1, 48 * 36)]
    exports = [hour(END - timedelta(hours=hours)) for hours in range(1, 200)]
    assert digest(records, exports=exports).notices == ()


def test_failures_gaps_and_lost_files() -> None:
    lost = run(END - DAY, "export", "incomplete", counts={"promised": 3, "missing": 2})
    found = digest([lost, run(END - DAY, outcome="timed_out")], exports=exported(END, 30))
    assert found.notices == (
        "1 of 1 conversions did not succeed",
        "1 of 1 export runs did not succeed",
        "3 of 168 hours lack an export or tables of it",
        "2 promised export files never arrived",
    )


def test_files_that_came_with_a_later_run_arrived() -> None:
    def export(at: datetime, slot: str, missing: int, promised: int = 3) -> RunRecord:
        counts = {"promised": promised, "missing": missing}
        return run(at, "export", "incomplete" if missing else "delivered", subject=slot, counts=counts)

    minute = timedelta(minutes=1)
    came = [export(END - DAY, "20261121-00", 2), export(END - DAY + minute, "20261121-00", 0)]
    lost = [export(END - DAY, "20261121-01", 2), export(END - DAY + minute, "20261121-01", 1)]
    blind = export(END - DAY + 2 * minute, "20261121-01", 0, promised=0)
    assert not [each for each in digest(came).notices if "arrived" in each]
    found = digest([blind, *lost, *came])
    assert found.notices[-1] == "1 promised export file never arrived"
    assert found.volume("export_missing").value == 1


def test_runs_that_are_usual_and_did_not_take_place() -> None:
    before = [each for each in BUSY if each.started_at < iso(END - 7 * DAY)]
    assert digest(before).notices[:2] == (
        "There were no conversions; 672 are usual",
        "There were no export runs; 168 are usual",
    )


def test_what_changed_against_the_usual() -> None:
    usual = [conversion(END - day * DAY - timedelta(hours=1), 1000, 10, TABLES[1]) for day in range(7, 36)]
    counts = {**usual[0].counts, "events": 300, "dirty": 60, "rows": 300, "unknown_members": 4}
    now = conversion(END - DAY, counts=counts, rows={"NEW": 300}, dirty={"NEW": {"FRAGMENT": 1}, "-": {"FRAGMENT": 2}})
    notices = "\n".join(digest([*usual, now]).notices)
    assert "New among the dirty: 3 FRAGMENT, 2 tables" in notices
    assert "83.33 % of the events are clean; 99.01 % are usual" in notices
    assert "4 unknown members" in notices
    assert "Clean events: 0.04 times the usual" in notices
    assert f"Tables that usually have rows and had none: {TABLES[1]}" in notices


@pytest.mark.parametrize(
    ("words", "usual", "now", "odd"),
    [
        ("Clean events", 200, 100, False),
        ("Clean events", 200, 99, True),
        ("Clean events", 200, 400, False),
        ("Clean events", 200, 401, True),
        ("Clean events", 40, 99, False),
        ("Clean events", 40, 100, True),
        (f"had none: {TABLES[0]}", 99, 0, False),
        (f"had none: {TABLES[0]}", 100, 0, True),
        ("are clean", {"events": 990, "dirty": 10}, {"events": 981, "dirty": 19}, False),
        ("are clean", {"events": 990, "dirty": 10}, {"events": 979, "dirty": 21}, True),
        ("without a clean event", {"dirty_files": 3}, {"dirty_files": 6}, False),
        ("without a clean event", {"dirty_files": 3}, {"dirty_files": 7}, True),
        ("unknown members", {"unknown_members": 3}, {"unknown_members": 6}, False),
        ("unknown members", {"unknown_members": 3}, {"unknown_members": 7}, True),
    ],
)
def test_what_is_odd_begins_at_its_threshold(words: str, usual: Counted, now: Counted, odd: bool) -> None:
    def counted(at: datetime, counts: Counted) -> RunRecord:
        return conversion(at, counts) if isinstance(counts, int) else conversion(at, counts=counts)

    earlier = [counted(END - days * DAY, usual) for days in (8, 15, 22, 29)]
    found = digest([*earlier, counted(END - DAY, now)], Period(PeriodKind.DAY, END))
    assert any(words in notice for notice in found.notices) is odd


@pytest.mark.parametrize(
    ("usual", "seconds", "slow"), [(5, 30.0, False), (5, 30.1, True), (20, 60.0, False), (20, 60.1, True)]
)
def test_a_run_is_slow_beyond_three_times_the_usual_and_half_a_minute(usual: int, seconds: float, slow: bool) -> None:
    ordinary = [conversion(END - timedelta(hours=hours), seconds=usual) for hours in range(1, 20)]
    late = conversion(END - timedelta(minutes=30), seconds=seconds)
    assert [each.run for each in digest([*ordinary, late]).slow] == [late] * slow


def test_small_numbers_are_not_odd() -> None:
    usual = [conversion(END - day * DAY, 3, 0) for day in range(8, 36)]
    assert digest([*usual, conversion(END - DAY, 30, 0)]).notices == ()


def test_a_million_files_cost_what_the_readme_says() -> None:
    counts = {"files": 1_000_000, "bytes": 20_000_000_000}
    cost = digest([run(END - DAY, counts=counts)]).cost
    by_service = {item.price.service: item.dollars for item in cost.items}
    assert by_service["DynamoDB writes"] + by_service["DynamoDB reads"] == pytest.approx(1.31, abs=0.01)
    assert by_service["SQS"] == pytest.approx(0.48)
    assert by_service["Lambda time"] == pytest.approx(0.45, abs=0.03)
    assert cost.dollars == pytest.approx(2.79, abs=0.2)
    assert cost.dollars == pytest.approx(sum(by_service.values()))


def test_an_export_costs_what_its_files_and_polls_take() -> None:
    """At 20 MB/s in half a GB, put in parts of 8 MiB, with a poll of a quarter of a GB-second a minute."""
    counts = {"copied": 1000, "bytes": 2_000 << 23}
    cost = digest([run(END - DAY, "export", "delivered", seconds=1800, counts=counts)]).cost
    assert {item.price: item.quantity for item in cost.items if item.quantity} == pytest.approx(
        {
            prices.OBJECT_PUT: 1000 + 2000,
            prices.FUNCTION_CALL: 1000 + 30,
            prices.FUNCTION_TIME: counts["bytes"] / 20e6 * 0.5 + 30 * 0.25,
            prices.TRANSITION: 30 * 3,
            prices.OBJECT_STORAGE: counts["bytes"],
        }
    )
