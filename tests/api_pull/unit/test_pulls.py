"""Pulls: their ids and days, what is usual, and results."""

from datetime import UTC, datetime

import pytest

from sluice.api_pull.contracts import ENDPOINTS, contracts
from sluice.api_pull.history import Day, History
from sluice.api_pull.model import COMPLETE, HELD, PullError
from sluice.api_pull.pulls import new_pull
from sluice.api_pull.results import result_of
from tests.support.memory_object_store import MemoryObjectStore

STARTED = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
UNTOUCHED = {name: {"extract": {"turn": 0}, "check": {"turn": 0}} for name in ENDPOINTS}


def test_an_execution_has_the_same_pull_however_often_it_begins() -> None:
    first, second = (new_pull("arn:x", STARTED, {}) for _ in range(2))
    assert first == second
    assert (first.snapshot_date, first.pull_id[:16]) == ("2026-11-30", "20261130T2330000")
    assert new_pull("arn:y", STARTED, {}).pull_id != first.pull_id


def test_a_day_of_another_zone_may_have_begun() -> None:
    assert new_pull("arn:x", STARTED, {"date": "2026-12-01"}).snapshot_date == "2026-12-01"


@pytest.mark.parametrize("date", ["2026-12-02", "2026-02-30", "20261130", "yesterday", "../2026-11-30"])
def test_what_is_no_day_of_a_pull_is_refused(date: str) -> None:
    with pytest.raises(PullError, match="is no day as YYYY-MM-DD"):
        new_pull("arn:x", STARTED, {"date": date})


def test_the_usual_is_the_median_of_seven_days_and_not_of_this_one() -> None:
    history = History()
    for day, rows in enumerate([1, 1, 100, 110, 120, 130, 140, 150, 9000], start=1):
        history = history.having("tracks", Day(f"2026-11-{day:02}", f"p{day}", COMPLETE if rows < 9000 else HELD, rows))
    assert history.usual("tracks", "2026-11-09") == 120
    assert history.usual("users", "2026-11-09") is None
    assert history.shown("tracks") == "p8", "the mart shows the last that was complete"


def test_a_history_outlasts_a_month_by_no_day() -> None:
    lake, history = MemoryObjectStore(), History()
    for day in range(40):
        history = history.having("tracks", Day(f"day {day:02}", "p", COMPLETE, day))
    history.write(lake)
    assert History.read(lake).days["tracks"] == history.days["tracks"]
    assert len(history.days["tracks"]) == 30


def test_an_api_that_is_not_well_is_said_once() -> None:
    pull = new_pull("arn:x", STARTED, {})
    failure = {"Error": "PullError", "Cause": '{"errorMessage": "GET /openapi.json: nobody is there"}'}
    result = result_of(pull, {**UNTOUCHED, "failure": failure}, MemoryObjectStore())
    assert (result.status, result.cause) == ("failed", "GET /openapi.json: nobody is there")


def test_contracts_refer_to_endpoints_that_come_before_and_to_columns_there_are() -> None:
    for contract in contracts().values():
        columns = {column.name for column in contract.columns}
        for reference in contract.references:
            assert ENDPOINTS.index(reference.endpoint) < ENDPOINTS.index(contract.endpoint)
            assert reference.column in columns
        members = {*contract.schema["properties"]}
        assert {contract.key, *contract.schema["required"]} <= members
        assert {path for column in contract.columns for path in column.path} == members, "each has its column"
