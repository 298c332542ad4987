"""One file: every byte goes somewhere, and a splitter or router that loses one is found out."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings

from cli.contracts.generation import generate_event, mutate_event
from sluice.event_files.ledger.model import Counts, Reason, SourceObject
from sluice.event_files.validate import routing as module
from sluice.event_files.validate.event_processor import EventProcessors
from sluice.event_files.validate.routing import MAX_EVENT_BYTES, AccountingError, FileRouting, Lines
from sluice.event_files.validate.splitter import Piece, split
from tests.event_files.unit.validate.contract_events import CONTRACTS, REGISTRY, chance, event_of
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
        counts.clean[contract.table] += 1
        counts.dirty[contract.table, Reason.RULE_BROKEN] += 1
        counts.dirty["-", Reason.FRAGMENT] += 1
        counts.unrelated += 1
        counts.events += 4
    return b"".join(parts), counts


DATA, COUNTS = a_file_of_everything()


def test_everything_is_counted() -> None:
    counts, (lines,) = route(DATA)
    unknown_members = sum(
        len(json.loads(json.loads(row).get("_rescued", "{}"))) for rows in lines.clean.values() for row in rows
    )
    missing = counts.media_missing
    assert (counts.events, counts.clean, counts.dirty, counts.unrelated, counts.unknown_members) == (
        COUNTS.events,
        COUNTS.clean,
        COUNTS.dirty,
        COUNTS.unrelated,
        unknown_members,
    )
    assert 0 < missing <= counts.clean.total()
    assert {table: len(rows) for table, rows in lines.clean.items()} == dict(COUNTS.clean)
    assert (len(lines.dirty), len(lines.unrelated)) == (COUNTS.dirty.total(), COUNTS.unrelated)


def test_every_line_leads_back_to_its_bytes() -> None:
    _, (lines,) = route(DATA)
    for line in (*lines.dirty, *lines.unrelated):
        record = json.loads(line)
        assert DATA[record["offset"] : record["offset"] + record["length"]] == record["raw"].encode()
        assert (record["source_bucket"], record["source_key"], record["source_etag"]) == ("bucket", "a key", "etag")
    for rows in lines.clean.values():
        for row in map(json.loads, rows):
            event, _ = json.JSONDecoder().raw_decode(DATA[row["_source_offset"] :].decode())
            assert (event["detail"]["id"], row["_source_key"]) == (row["detail"]["id"], "a key")


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
    assert counts.events == len(lines.dirty) + len(lines.unrelated)  # none of these is an event of ours


Split = Callable[[bytes, int], Iterator[Piece]]


def dropping_a_piece(data: bytes, limit: int) -> Iterator[Piece]:
    pieces = list(split(data, limit))
    yield from pieces[:7] + pieces[8:]


def dropping_the_last_piece(data: bytes, limit: int) -> Iterator[Piece]:
    yield from list(split(data, limit))[:-1]


def dropping_a_byte(data: bytes, limit: int) -> Iterator[Piece]:
    return (piece._replace(end=piece.end - (number == 3)) for number, piece in enumerate(split(data, limit)))


def twice(data: bytes, limit: int) -> Iterator[Piece]:
    for number, piece in enumerate(split(data, limit)):
        yield from [piece] * (1 + (number == 3))


def moved(data: bytes, limit: int) -> Iterator[Piece]:
    """A byte too early: what is taken twice at its start is lost at its end, and the sum is right."""
    for number, piece in enumerate(split(data, limit)):
        yield piece._replace(start=piece.start - 1, end=piece.end - 1) if number == 2 else piece


BROKEN: list[Split] = [
    dropping_a_piece,
    dropping_the_last_piece,
    dropping_a_byte,
    twice,
    moved,
]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_splitter_that_loses_or_repeats_bytes_is_found_out(broken: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = list(split(DATA, MAX_EVENT_BYTES))
    assert any(first.end == second.start for first, second in pairwise(pieces))
    monkeypatch.setattr(module, "split", broken)
    with pytest.raises(AccountingError, match="Nothing of the file was committed"):
        route(DATA)


@pytest.mark.parametrize(
    ("part", "method"),
    [
        (FileRouting, "_dirty"),
        (FileRouting, "_unrelated"),
        (Lines, "add_clean"),
    ],
)
def test_a_router_that_loses_an_event_is_found_out(part: type, method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, method, lambda *_arguments: None)
    with pytest.raises(AccountingError):
        route(DATA)


class Forgetful(FileRouting):
    """Keeps the line of an unrelated event, and forgets to count it."""

    def _unrelated(self, piece: Piece, raw: memoryview) -> None:
        super()._unrelated(piece, raw)
        self.counts.unrelated -= 1


def test_a_router_that_does_not_count_an_event_is_found_out() -> None:
    with pytest.raises(AccountingError):
        Forgetful(PROCESSORS, SOURCE).route(DATA, 1 << 40, lambda _lines: None)


@pytest.mark.parametrize("data", [b"", b" \n", BOM, BOM + b"\r\n" + BOM])
def test_a_file_of_nothing(data: bytes) -> None:
    assert route(data) == (Counts(), [Lines()])


@pytest.mark.parametrize("reason", [Reason.TRUNCATED_GZIP, Reason.FILE_TOO_LARGE])
def test_a_whole_file_is_refused(reason: Reason) -> None:
    routing = FileRouting(PROCESSORS, SOURCE)
    routing.refuse(reason)
    (record,) = map(json.loads, routing.lines.dirty)
    assert (record["reason"], record["offset"], record["length"], record["raw"]) == (reason, 0, 0, "")
    assert (routing.counts.events, dict(routing.counts.dirty)) == (1, {("-", reason): 1})


def test_an_event_larger_than_allowed_is_dirty_and_its_neighbours_are_not() -> None:
    event = text_of(event_of("MICROTWO_EVENT"))
    huge = text_of(event_of("MICROTWO_EVENT", detail__evaluation__payload__text="x" * MAX_EVENT_BYTES))
    counts, (lines,) = route(event + huge + event)
    assert (dict(counts.clean), dict(counts.dirty)) == ({"MICROTWO_EVENT": 2}, {("-", Reason.TOO_LARGE): 1})
    (record,) = map(json.loads, lines.dirty)
    assert record["raw"].encode() == huge


def test_reasons() -> None:
    data = [
        (b"{}", "-", Reason.NOT_AN_EVENT),
        (b'{"source":"app.event.file"}', "-", Reason.NO_IDENTIFIER),
        (
            text_of(event_of("SIM_EVENT", source="app.event.file", detail_type="EFEvaluationEvent")),
            "-",
            Reason.NO_CONTRACT,
        ),
        (text_of(event_of("STE_PRED", region=None)), "STE_PRED", Reason.RULE_BROKEN),
        (b"null", "-", Reason.FRAGMENT),
        (b'{"a":NaN}', "-", Reason.INVALID_JSON),
    ]
    counts, (lines,) = route(b"".join(text for text, _, _ in data))
    assert dict(counts.dirty) == {(table, reason): 1 for _, table, reason in data}
    assert [json.loads(line)["reason"] for line in lines.dirty] == [reason for _, _, reason in data]


def test_a_file_is_routed_the_same_however_it_is_held() -> None:
    routing = FileRouting(PROCESSORS, SOURCE)
    routing.route(bytearray(DATA), 1 << 40, lambda _lines: None)
    counts, (lines,) = route(DATA)
    assert (routing.counts, routing.lines) == (counts, lines)
