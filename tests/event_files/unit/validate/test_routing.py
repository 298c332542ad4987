"""One file: every byte goes somewhere, and a splitter or router that loses one is found out."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings

from cli.contracts.generation import _UNKNOWN, generate_event, mutate_event
from sluice.event_files.ledger.model import Counts, Reason, SourceObject
from sluice.event_files.validate import routing as module
from sluice.event_files.validate.content import AccountingError
from sluice.event_files.validate.event_processor import EventProcessors
from sluice.event_files.validate.lines import Lines
from sluice.event_files.validate.records import MAX_EVENT_BYTES
from sluice.event_files.validate.routing import FileRouting
from sluice.event_files.validate.splitter import Piece, split
from tests.event_files.unit.validate.contract_events import CONTRACTS, REGISTRY, chance
from tests.event_files.unit.validate.event_strategies import BOM, File, events, files, garbage, written

SOURCE = SourceObject("bucket", "a key", "etag")
PROCESSORS = EventProcessors(REGISTRY, lambda _lib, _id: None)
FOREIGN = b'{"source":"aws.s3","detail":{}}'


def route(data: bytes, full_at: int = 1 << 40) -> tuple[Counts, list[Lines]]:
    """The counts, and the lines as they were handed over, the last ones last."""
    routing, full = FileRouting(PROCESSORS, SOURCE), list[Lines]()
    routing.route(data, full_at, full.append)
    return routing.counts, [*full, routing.lines]


def text_of(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def a_file_of_everything() -> tuple[bytes, Counts]:
    """Clean, dirty and unrelated events, fragments and white space; and what is to be counted of them."""
    rng, parts, counts = chance(5), [BOM], Counts()
    for contract in CONTRACTS * 3:
        event = generate_event(contract, rng)
        broken, _ = mutate_event(contract, event, rng)
        parts += [text_of(event), b"\n" * rng.randrange(3), text_of(broken), b"oops", FOREIGN, b" \r\n"]
        counts.unknown_members += sum(json.dumps(event).count(f'"{name}":') for name, _ in _UNKNOWN)
        counts.clean[contract.table] += 1
        counts.dirty[contract.table, Reason.RULE_BROKEN] += 1
        counts.dirty["-", Reason.FRAGMENT] += 1
        counts.unrelated += 1
        counts.events += 4
    return b"".join(parts), counts


DATA, COUNTS = a_file_of_everything()


def test_everything_is_counted() -> None:
    counts, (lines,) = route(DATA)
    missing = counts.media_missing
    assert replace(counts, media_missing=0) == COUNTS
    assert 0 < missing <= counts.clean.total()
    found: Counter[str] = Counter()
    for (table, hour), rows in lines.clean.items():
        found[table] += len(rows)
        assert {json.loads(row)["time"][: len(hour)] for row in rows} == {hour}
    assert found == COUNTS.clean
    assert (len(lines.dirty.splitlines()), len(lines.unrelated.splitlines())) == (
        COUNTS.dirty.total(),
        COUNTS.unrelated,
    )


def test_every_line_leads_back_to_its_bytes() -> None:
    _, (lines,) = route(DATA)
    for line in (*lines.dirty.splitlines(), *lines.unrelated.splitlines()):
        record = json.loads(line)
        assert DATA[record["offset"] : record["offset"] + record["length"]] == record["raw"].encode()
        assert (record["source_bucket"], record["source_key"], record["source_etag"]) == ("bucket", "a key", "etag")
    for rows in lines.clean.values():
        for row in map(json.loads, rows):
            event, _ = json.JSONDecoder().raw_decode(DATA[row["_source_offset"] :].decode())
            assert (event["detail"]["id"], row["_source_key"]) == (row["detail"]["id"], "a key")


def test_a_piece_that_is_no_json_says_why_and_where_in_the_file() -> None:
    _, (lines,) = route(FOREIGN + b'\n{"a":NaN}' + FOREIGN)
    (record,) = map(json.loads, lines.dirty.splitlines())
    assert record["reason"] == "INVALID_JSON"
    assert record["errors"][0]["message"].startswith(f"byte {len(FOREIGN) + 6} of the content: unexpected character")


@pytest.mark.parametrize("full_at", [1, 1_000, 20_000])
def test_lines_are_handed_over_when_they_are_full(full_at: int) -> None:
    counts, parts = route(DATA, full_at)
    assert all(part.size >= full_at for part in parts[:-1])
    assert parts[-1].size < full_at
    together = Lines()
    for part in parts:
        together.extend(part)
    whole_counts, (whole,) = route(DATA)
    assert (counts, together) == (whole_counts, whole)


@given(files(written(events), garbage))
@settings(max_examples=30)
def test_any_file_adds_up(file: File) -> None:
    counts, (lines,) = route(file.data)
    assert counts.events == len(list(split(file.data, MAX_EVENT_BYTES)))
    assert counts.events == len(lines.dirty.splitlines()) + len(
        lines.unrelated.splitlines()
    )  # none of these is an event of ours


Spoil = Callable[[list[Piece]], list[Piece]]
BROKEN: dict[str, Spoil] = {
    "a piece is lost": lambda pieces: pieces[:7] + pieces[8:],
    "the last piece is lost": lambda pieces: pieces[:-1],
    "a byte is lost": lambda pieces: [*pieces[:3], pieces[3]._replace(end=pieces[3].end - 1), *pieces[4:]],
    "a piece comes twice": lambda pieces: [*pieces[:3], pieces[3], *pieces[3:]],
    # What is taken twice at its start is lost at its end, and the sum is right.
    "a piece is moved by a byte": lambda pieces: [
        *pieces[:2],
        pieces[2]._replace(start=pieces[2].start - 1, end=pieces[2].end - 1),
        *pieces[3:],
    ],
}


@pytest.mark.parametrize("spoil", BROKEN.values(), ids=BROKEN.keys())
def test_a_splitter_that_loses_or_repeats_bytes_is_found_out(spoil: Spoil, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = list(split(DATA, MAX_EVENT_BYTES))
    assert any(first.end == second.start for first, second in pairwise(pieces))
    monkeypatch.setattr(module, "split", lambda _data, _limit: iter(spoil(pieces)))
    with pytest.raises(AccountingError, match="Nothing of the file was committed"):
        route(DATA)


@pytest.mark.parametrize(
    ("part", "method"), [(FileRouting, "_dirty"), (FileRouting, "_unrelated"), (Lines, "add_clean")]
)
def test_a_router_that_loses_an_event_is_found_out(part: type, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, method, lambda *_arguments: None)
    with pytest.raises(AccountingError):
        route(DATA)


def test_a_router_that_does_not_count_an_event_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of an unrelated event is kept, its count is not."""
    monkeypatch.setattr(Counts, "unrelated", property(lambda _: 0, lambda _, __: None))
    with pytest.raises(AccountingError):
        route(DATA)
