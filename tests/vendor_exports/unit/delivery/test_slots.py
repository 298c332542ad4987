"""Slots and their folders."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.model import Slot, SlotError, newest_settled, place_of, slots_between, table_of

TEST, PROD = Environment.TEST, Environment.PROD
MOMENTS = st.integers(0, 7_000 * 365 * 86_400).map(
    lambda seconds: datetime(1001, 1, 1, tzinfo=UTC) + timedelta(0, seconds)
)
SLOTS = MOMENTS.map(Slot.of)
NAMES = st.text(st.characters(exclude_characters="/"), min_size=1)


@given(SLOTS)
def test_a_slot_is_read_as_it_is_written(slot: Slot) -> None:
    assert Slot.parse(str(slot)) == slot
    assert len(str(slot)) == 11


@given(MOMENTS, st.integers(-14 * 60, 14 * 60))
def test_a_moment_lies_in_its_hour_whatever_its_zone(moment: datetime, minutes: int) -> None:
    slot = Slot.of(moment.astimezone(timezone(timedelta(minutes=minutes))))
    assert slot.hour <= moment < slot.after().hour
    assert slot.hour.tzinfo is UTC
    assert str(slot) == f"{moment:%Y%m%d-%H}"


ARABIC_DAY = "\u0662\u0660\u0662\u0666\u0660\u0663\u0660\u0661"
NO_SLOTS = f"""
20260301 20260301-1 2026031-12 20260301-24 20260230-12 20260301_12 2026-03-01-12 20260301-12-00 00000101-00 ../../x
{ARABIC_DAY}-12
""".split()


@pytest.mark.parametrize("text", ["", "20260301-12 ", " 20260301-12", *NO_SLOTS])
def test_texts_that_are_no_slot(text: str) -> None:
    with pytest.raises(SlotError, match="is no slot; write day and hour in UTC as in 20260131-23"):
        Slot.parse(text)


@given(st.text())
def test_any_text_is_a_slot_or_an_error(text: str) -> None:
    with suppress(SlotError):
        assert str(Slot.parse(text)) == text


def test_folders() -> None:
    slot = Slot.parse("20260301-07")
    assert slot.folder(TEST) == "DEV/IMOSDL/Hourly/20260301/07/"
    assert slot.folder(PROD) == "IMOSDL/Hourly/20260301/07/"
    assert (TEST.config_name, PROD.config_name) == ("onDemandExtract1DayTest", "onDemandExtract1DayProd")


def test_an_hour_is_settled_half_an_hour_after_its_end() -> None:
    slot, end = Slot.parse("20260301-23"), datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
    assert newest_settled(end) == slot
    assert newest_settled(end - timedelta(microseconds=1)) == slot.after(-1)


@given(SLOTS, st.integers(0, 100))
def test_ranges_hold_both_ends(first: Slot, hours: int) -> None:
    slots = list(slots_between(first, first.after(hours)))
    assert len(slots) == len(set(slots)) == hours + 1
    assert (slots[0], slots[-1]) == (first, first.after(hours))
    assert slots == sorted(slots)
    assert list(slots_between(first.after(), first)) == []


@given(SLOTS, st.sampled_from(Environment), NAMES)
def test_a_files_place_is_found_in_its_own_flow_only(slot: Slot, environment: Environment, name: str) -> None:
    key = slot.folder(environment) + name
    other = PROD if environment is TEST else TEST
    assert place_of(key, environment.hourly) == (slot, name)
    assert place_of(key, other.hourly) is None


NO_FILES = f"""
IMOSDL/Hourly/ IMOSDL/Hourly/20260301/12 IMOSDL/Hourly/20260301/12/ IMOSDL/Hourly/20260301/12/a/b
IMOSDL/Hourly/20260301/12//b IMOSDL/Hourly/20260301/24/a IMOSDL/Hourly/20260230/12/a IMOSDL/Hourly/2026031/12/a
IMOSDL/Hourly/20260301-12/a IMOSDL/hourly/20260301/12/a /IMOSDL/Hourly/20260301/12/a XIMOSDL/Hourly/20260301/12/a
DEV/IMOSDL/Hourly/20260301/12/a IMOSDL/DataObservability/20260301/12/a IMOSDL/Hourly/{ARABIC_DAY}/12/a
""".split()


@pytest.mark.parametrize("key", ["", *NO_FILES])
def test_keys_that_are_no_files_of_a_slot(key: str) -> None:
    assert place_of(key, PROD.hourly) is None


@given(st.text(), st.sampled_from(Environment))
def test_any_key(key: str, environment: Environment) -> None:
    for candidate in (key, environment.hourly + key, f"{environment.hourly}20260301/12/{key}"):
        place = place_of(candidate, environment.hourly)
        assert place is None or place[0].folder(environment) + place[1] == candidate


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("Voyage", ["Voyage_0.json.gz", "Voyage_a_b", "Voyage_"]),
        ("voyage leg", ["voyage leg_1"]),
        (None, ["Voyage.json", "_MasterTableSchema.json", "__PresignedUrls.json", "_", ""]),
    ],
)
def test_tables(table: str | None, names: list[str]) -> None:
    assert {table_of(name) for name in names} == {table}
