"""Event files in `sluice status`: the backlog, the queue, the dirty events."""

import re
from datetime import UTC, datetime
from typing import Any

from cli.event_files.status import Backlog, Queue, Unread, backlog, dirty_counts, status
from cli.platform.session import Deployment
from sluice.aws.runtime import Item, to_dynamodb

NOW = datetime(2024, 5, 14, 12, 0, tzinfo=UTC)


def put_chunk(stage: Deployment, state: str, name: str, **attributes: Any) -> None:
    item = to_dynamodb({"pk": f"chunk#{state}", "sk": name, **attributes})
    stage.dynamodb.put_item(TableName="the-ledger", Item=item)


def test_chunks_and_the_queue_of_a_stage(stage: Deployment) -> None:
    counts = {"files": 3, "clean": {"A_PRED": 4}, "dirty": {"A_PRED": {"RULE_BROKEN": 2}}}
    put_chunk(stage, "pending", "1", created_at="2024-05-14T11:59:00.000Z", **counts)
    put_chunk(stage, "converted", "0", created_at="2024-05-14T11:00:00.000Z", **counts)
    stage.sqs.send_message(QueueUrl=stage.output("DeadLetterQueueUrl"), MessageBody="{}")
    found = status(stage)
    members = found.members
    assert members["backlog"] == Backlog(1, 3, 4, members["backlog"].oldest_seconds)
    assert members["queue"] == Queue(0, 0, 1)
    assert members["dirty"] == {"A_PRED": {"RULE_BROKEN": 4}}
    assert (members["dirty_chunks"], members["dirty_since"]) == (2, "2024-05-14T11:00:00.000Z")
    to_convert, to_validate, dead_letters = found.lines
    assert re.fullmatch(r"To convert: 4 events of 3 files, the oldest for [\d,]+ s", to_convert)
    assert to_validate == "To validate: 0 announcements, 0 at work"
    assert "Dead letters: 1 announcement" in dead_letters
    (dirty,) = found.tables.values()
    assert list(found.tables) == ["Dirty events in the last 2 chunks, since 2024-05-14 11:00 UTC"]
    assert [list(column.cells) for column in dirty.columns] == [["A_PRED"], ["RULE_BROKEN"], ["4"], ["33.33%"]]


def test_what_cannot_be_read_and_what_is_dirty_is_said(stage: Deployment) -> None:
    sizes = {"bytes": 1000, "dirty_bytes": 50, "dirty_files": 2}
    counts = {"files": 3, "clean": {"A_PRED": 4}, "dirty": {}, **sizes}
    put_chunk(stage, "pending", "1", created_at="2024-05-14T11:59:00.000Z", left_out="its object is gone", **counts)
    found = status(stage)
    assert found.members["left_out"] == [Unread("1", 3, 4, "its object is gone")]
    (lost,) = [line for line in found.lines if "its object is gone" in line]
    assert "3 files" in lost
    assert "4 events" in lost
    assert "Dirty: 50 B, 5.00% of the bytes in the last 1 chunk; 2 files without a clean event" in found.lines


def test_the_backlog_counts_clean_events_and_knows_its_age() -> None:
    chunks: list[Item] = [
        {"files": 3, "events": 9, "clean": {"A_PRED": 4, "B_EVENT": 1}, "created_at": "2024-05-14T11:59:00+00:00"},
        {"files": 1, "events": 1, "clean": {}, "created_at": "2024-05-14T11:58:30.500Z"},
    ]
    assert backlog(chunks, NOW) == Backlog(chunks=2, files=4, events=5, oldest_seconds=90)
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
