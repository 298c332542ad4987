"""Small pieces alike, thousands of them, share records; nothing of them is lost, and what they surround stays apart."""

import json
from typing import Any

from cli.contracts.generation import generate_event
from sluice.event_files.ledger.model import Counts, Reason
from tests.event_files.unit.validate.contract_events import CONTRACTS, chance
from tests.event_files.unit.validate.test_routing import FOREIGN, route, text_of

PATIENCE = 1_000
OURS = b'{"source":"app.event.file"}'
CLEAN = text_of(generate_event(CONTRACTS[0], chance(1)))


def flood(data: bytes) -> tuple[Counts, list[dict[str, Any]], list[dict[str, Any]]]:
    """The counts, and the dirty and unrelated records that stand for many pieces; all lead back to their bytes."""
    counts, (lines,) = route(data)
    both = [[json.loads(line) for line in kind.splitlines()] for kind in (lines.dirty, lines.unrelated)]
    for record in both[0] + both[1]:
        assert data[record["offset"] : record["offset"] + record["length"]] == record["raw"].encode()
    assert [sum(record.get("count", 1) for record in each) for each in both] == [counts.dirty.total(), counts.unrelated]
    dirty, unrelated = ([record for record in each if "count" in record] for each in both)
    return counts, dirty, unrelated


def test_events_alike_share_a_record() -> None:
    counts, dirty, unrelated = flood(FOREIGN * 3_000)
    assert (counts.events, counts.unrelated, dirty) == (3_000, 3_000, [])
    (shared,) = unrelated
    assert (shared["offset"], shared["count"]) == (PATIENCE * len(FOREIGN), 3_000 - PATIENCE)


def test_what_lies_between_ends_a_record() -> None:
    """A clean event, and pieces of another kind: a record never spans them; framing does not matter."""
    parts = [FOREIGN * PATIENCE, FOREIGN + b",\n" + FOREIGN, CLEAN, FOREIGN * 3, OURS * 4, b"\n", OURS * 5, FOREIGN * 2]
    counts, dirty, unrelated = flood(b"".join(parts))
    assert counts.clean.total() == 1
    assert counts.dirty == {("-", Reason.NO_IDENTIFIER): 9}
    assert [record["count"] for record in dirty] == [9]
    assert [record["count"] for record in unrelated] == [2, 3, 2]


def test_the_same_reasons_share_a_record_others_do_not() -> None:
    broken = [b'{"source":"app.event.file","detail-type":"EFPredictionEvent","detail":{"prediction":{"service":"%b"}}}']
    one, other = (broken[0] % service for service in (b"microone", b"microtwo"))
    _, dirty, _ = flood(OURS * PATIENCE + one * 20 + other * 30 + one * 40)
    assert [(record["table"], record["count"]) for record in dirty[-3:]] == [
        ("MICROONE_PRED", 20),
        ("MICROTWO_PRED", 30),
        ("MICROONE_PRED", 40),
    ]
    assert dirty[-3]["errors"] == dirty[-1]["errors"] != []
    assert dirty[-1]["event_id"] is None


def test_events_of_usual_size_have_records_of_their_own() -> None:
    usual = FOREIGN[:-1] + b',"filling":"%b"}' % (b"x" * 256)
    counts, dirty, unrelated = flood(usual * 2_000)
    assert (counts.unrelated, dirty, unrelated) == (2_000, [], [])


def test_a_record_does_not_grow_without_end() -> None:
    _, _, unrelated = flood(FOREIGN * ((3 << 20) // len(FOREIGN)))
    assert len(unrelated) == 3
    assert all(record["length"] <= 1 << 20 for record in unrelated)
