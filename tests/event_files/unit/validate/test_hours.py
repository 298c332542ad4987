"""Hours of a file's events: near the file's own time, and not too many."""

from datetime import UTC, datetime

import orjson
import pytest

from sluice.event_files.ledger.model import Counts, SourceObject
from sluice.event_files.validate.budget import OverBudgetError
from sluice.event_files.validate.event_processor import EventProcessors
from sluice.event_files.validate.hours import FileHours, HourLimits, time_reader
from sluice.event_files.validate.routing import FileRouting
from tests.event_files.unit.validate.contract_events import REGISTRY
from tests.support.sample_events import body, event

LIMITS = HourLimits(days_before=30, days_after=2, most=3)
MODIFIED = datetime(2024, 3, 1, 12, 59, tzinfo=UTC)
EARLIEST, LATEST = "2024-01-31T12:00:00Z", "2024-03-03T12:59:59Z"


def routed(*events: dict[str, object], limits: HourLimits = LIMITS) -> FileRouting:
    hours = FileHours(limits, MODIFIED)
    routing = FileRouting(EventProcessors(REGISTRY, lambda _lib, _id: None), SourceObject("b", "k", "e"), hours=hours)
    routing.route(body(*events), 1 << 30, lambda _: None)
    return routing


def at(time: object, number: int = 1, **members: object) -> dict[str, object]:
    return {**event("MICROONE_EVENT", number), "time": time, **members}


def reasons(routing: FileRouting) -> list[list[tuple[str, str]]]:
    records = [orjson.loads(line) for line in routing.lines.dirty.splitlines()]
    return [[(error["rule"], error["pointer"]) for error in record["errors"]] for record in records]


@pytest.mark.parametrize("time", [EARLIEST, LATEST, "2024-03-01T12:00:00+00:00"])
def test_events_near_the_time_of_their_file_are_clean(time: str) -> None:
    assert routed(at(time)).counts.clean.total() == 1


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("2024-01-31T11:59:59Z", "more than 30 days before its file's, 2024-03-01T12 (UTC)"),
        ("2000-01-01T00:00:00Z", "more than 30 days before"),
        ("2024-03-03T13:00:00Z", "more than 2 days after its file's, 2024-03-01T12 (UTC)"),
        ("2099-12-31T23:59:59Z", "more than 2 days after"),
    ],
)
def test_events_far_from_it_are_dirty_with_every_reason_and_no_medium_is_looked_up(time: str, said: str) -> None:
    routing = routed(at(time), at(time, region=None))
    assert reasons(routing) == [[("hours", "/time")], [("hours", "/time"), ("type", "/region")]]
    assert said in routing.lines.dirty.decode()
    assert routing.counts == Counts(events=2, dirty=routing.counts.dirty)


@pytest.mark.parametrize("time", [None, 5, [], {}, "", "soon", "9999", "2024-02-30T10:00:00Z"])
def test_of_what_is_no_time_the_contract_says_so(time: object) -> None:
    assert all("hours" not in {rule for rule, _ in each} for each in reasons(routed(at(time))))
    assert routed(at(time)).counts.dirty.total() == 1


def test_a_file_of_too_many_hours_is_refused_and_hours_of_dirty_events_do_not_count() -> None:
    hours = [f"2024-03-01T{hour:02}:00:00Z" for hour in range(4)]
    routed(*(at(hour, number) for number, hour in enumerate(hours[:3] * 3)), at(hours[3], region=None))
    with pytest.raises(OverBudgetError, match=r"more than 3 hours.*split it"):
        routed(*(at(hour, number) for number, hour in enumerate(hours)))


def test_a_time_may_lie_deeper() -> None:
    assert time_reader(("detail", "at"))({"detail": {"at": "2024"}}) == "2024"
