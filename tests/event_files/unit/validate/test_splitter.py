"""Each event comes back with its offsets, whatever lies between, and the rest is accounted for to the byte."""

import json
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.event_files.validate.splitter import Piece, split
from tests.event_files.unit.validate.event_strategies import BOM, File, blanks, events, files, garbage, objects, written

LARGE = 1 << 20
FRAMING = bytes(range(33)) + b",[]"


def pieces_of(data: bytes, max_event_bytes: int = LARGE) -> list[Piece]:
    return list(split(data, max_event_bytes))


def assert_partition(data: bytes, pieces: list[Piece]) -> None:
    """Pieces are ordered, disjoint and not empty; what is between them is framing; each is what it says it is."""
    end = 0
    for piece in [*pieces, Piece(len(data), len(data), None)]:
        assert piece.start >= end
        assert is_framing(data[end : piece.start])
        end = piece.end
    for piece in pieces:
        assert piece.start < piece.end
        assert (piece.event is None) is (piece.flaw is not None)
        assert is_object(data[piece.start : piece.end]) is (piece.event is not None)


def is_framing(between: bytes) -> bool:
    return not between.replace(BOM, b"").strip(FRAMING)


def is_object(text: bytes) -> bool:
    try:
        return isinstance(orjson.loads(text), dict)
    except orjson.JSONDecodeError:
        return False


def found(pieces: list[Piece]) -> list[tuple[int, int, Any]]:
    return [(piece.start, piece.end, piece.event) for piece in pieces if piece.event is not None]


def expected(file: File) -> list[tuple[int, int, Any]]:
    return [(start, end, json.loads(text)) for start, end, text in file.placed]


@given(files(written(events | objects), blanks))
def test_objects_come_back_whatever_white_space_is_between(file: File) -> None:
    pieces = pieces_of(file.data)
    assert found(pieces) == expected(file)
    assert len(pieces) == len(file.placed)
    assert_partition(file.data, pieces)


@given(files(written(events | objects), garbage.map(lambda dirt: dirt.replace(b"{", b""))))
def test_objects_come_back_among_garbage_that_opens_no_object(file: File) -> None:
    """Without an opening brace no garbage can take hold of what follows it: any object at all must come back."""
    pieces = pieces_of(file.data)
    assert found(pieces) == expected(file)
    assert_partition(file.data, pieces)


@given(files(written(events), garbage))
def test_events_come_back_among_any_garbage(file: File) -> None:
    """The one excuse: ``{"a":`` before an event and ``}`` behind it make a larger object that is JSON as well.

    Here events begin with a member of the envelope. An object that does not is, within damage, a part of it.
    """
    pieces = pieces_of(file.data)
    objects_found = found(pieces)
    for start, end, event in expected(file):
        assert (start, end, event) in objects_found or any(s < start and end < e for s, e, _ in objects_found)
    assert_partition(file.data, pieces)


@given(garbage | st.binary(max_size=200))
def test_any_bytes_are_accounted_for(data: bytes) -> None:
    pieces = pieces_of(data)
    assert_partition(data, pieces)
    assert pieces == list(split(bytearray(data), LARGE))


@given(files(written(events), garbage), st.sampled_from([64, 250, 300, 1_000]))
@settings(max_examples=30)
def test_no_event_is_larger_than_allowed(file: File, max_event_bytes: int) -> None:
    end = 0
    for piece in pieces_of(file.data, max_event_bytes):
        assert end <= piece.start < piece.end
        assert is_framing(file.data[end : piece.start])
        assert piece.event is None or piece.end - piece.start <= max_event_bytes
        end = piece.end
    assert is_framing(file.data[end:])
