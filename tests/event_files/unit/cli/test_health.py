"""Adding up what waits and what is dirty."""

from datetime import UTC, datetime

from cli.event_files.status import Backlog, backlog, dirty_counts
from sluice.aws.dynamodb import Item

NOW = datetime(2024, 5, 14, 12, 0, tzinfo=UTC)


def test_the_backlog_counts_clean_events_and_knows_its_age() -> None:
    chunks: list[Item] = [
        {"files": 3, "events": 9, "clean": {"A_PRED": 4, "B_EVENT": 1}, "created_at": "2024-05-14T11:59:00+00:00"},
        {"files": 1, "events": 1, "clean": {}, "created_at": "2024-05-14T11:58:30.500Z"},
    ]
    assert backlog(chunks, NOW) == Backlog(chunks=2, files=4, events=5, oldest_seconds=90)


def test_an_empty_backlog_has_no_age() -> None:
    assert backlog([], NOW) == Backlog(0, 0, 0, None)


def test_clocks_that_disagree_give_no_negative_age() -> None:
    chunk = {"files": 1, "clean": {}, "created_at": "2024-05-14T12:00:09+00:00"}
    assert backlog([chunk], NOW).oldest_seconds == 0


def test_dirty_events_add_up_by_table_and_reason() -> None:
    chunks: list[Item] = [
        {"dirty": {"B_EVENT": {"RULE_BROKEN": 1}, "-": {"NO_CONTRACT": 2}}},
        {"dirty": {"B_EVENT": {"RULE_BROKEN": 2, "TOO_LARGE": 9}}},
        {},
    ]
    found = dirty_counts(chunks)
    assert found == {"-": {"NO_CONTRACT": 2}, "B_EVENT": {"RULE_BROKEN": 3, "TOO_LARGE": 9}}
    assert list(found["B_EVENT"]) == ["TOO_LARGE", "RULE_BROKEN"]
