"""Known damage of files, case by case: the bytes that are an event, those that are not, and the reason."""

import json

import pytest

from sluice.event_files.ledger.model import Reason
from sluice.event_files.validate.splitter import Piece, split

FRAGMENT, INVALID, TOO_LARGE = Reason.FRAGMENT, Reason.INVALID_JSON, Reason.TOO_LARGE
LARGE = 1 << 20
BLANK = "blank"
GARBAGE = b"garbage" * 10_000  # so long that the parser is not given all of it at once
EVENT = b'{"version":"0","source":"app","detail":{"id":"a","text":"}{\\"}{"}}'
NEXT = b'{"id":"b", "source":"app", "detail":{}}'

Part = tuple[bytes, Reason | str | None]


def in_event(value: bytes) -> bytes:
    return b'{"version":"0","source":"app","detail":{"id":' + value + b"}}"


def nested(levels: int, opening: bytes, closing: bytes) -> bytes:
    return in_event(opening * levels + b"1" + closing * levels)


CASES: dict[str, list[Part]] = {
    "nothing": [],
    "white space only": [(b" \t\r\n", BLANK)],
    "byte order mark only": [(b"\xef\xbb\xbf", BLANK)],
    "byte order mark in front": [(b"\xef\xbb\xbf", BLANK), (EVENT, None)],
    "byte order mark between": [(EVENT, None), (b"\n\xef\xbb\xbf \xef\xbb\xbf", BLANK), (NEXT, None)],
    "half a byte order mark": [(b"\xef\xbb", FRAGMENT), (EVENT, None)],
    "no separator": [(EVENT, None), (NEXT, None), (b"{}", None), (EVENT, None)],
    "a scalar": [(b"12", FRAGMENT)],
    "scalars": [(b'1 true\n"x" null', FRAGMENT)],
    "a scalar between": [(EVENT, None), (b"null", FRAGMENT), (NEXT, None)],
    "an array of scalars": [(b"[", BLANK), (b'"a", 1', FRAGMENT), (b"]", BLANK)],
    "a scalar in front of an array": [(b"1", FRAGMENT), (b", [", BLANK), (EVENT, None), (b"]", BLANK)],
    "an array of events": [(b"\n[", BLANK), (EVENT, None), (b", ", BLANK), (NEXT, None), (b"]\n", BLANK)],
    "arrays of events": [(b"[[", BLANK), (EVENT, None), (b"],[\n", BLANK), (NEXT, None), (b"]][ ]", BLANK)],
    "an array of events and others": [
        (b"[", BLANK),
        (EVENT, None),
        (b",", BLANK),
        (b'null, 1, "x", [2, [3]]', FRAGMENT),
        (b", ", BLANK),
        (NEXT, None),
        (b",", BLANK),
        (b"true", FRAGMENT),
        (b",]", BLANK),
    ],
    "an array of events, one of them damaged": [
        (b"[", BLANK),
        (in_event(b"NaN"), INVALID),
        (b",", BLANK),
        (in_event(b"NaN"), INVALID),
        (b",", BLANK),
        (EVENT, None),
        (b"]", BLANK),
    ],
    "an array of events that is cut off": [(b"[", BLANK), (NEXT, None), (b",\n", BLANK), (b'{"id":[1,', FRAGMENT)],
    "a JSON sequence": [(b"\x1e", BLANK), (EVENT, None), (b"\n\x1e", BLANK), (NEXT, None), (b"\n", BLANK)],
    "zeros between": [(b"\0", BLANK), (EVENT, None), (b"\0\0", BLANK), (NEXT, None), (b"\0" * 300, BLANK)],
    "commas between": [(EVENT, None), (b",", BLANK), (NEXT, None), (b",\r\n", BLANK), (EVENT, None), (b",", BLANK)],
    "framing only": [(b"[],\0\x1e\x1a[ ]", BLANK)],
    "a string with an event in it": [(b'"', FRAGMENT), (NEXT, None), (b'"', FRAGMENT)],
    "a brace that opens nothing": [(b"{", FRAGMENT), (EVENT, None)],
    "a brace too many": [(EVENT, None), (b"}", FRAGMENT), (NEXT, None)],
    "not quoted": [(b"{id: 1}", FRAGMENT), (EVENT, None)],
    "NaN": [(EVENT, None), (in_event(b"NaN"), INVALID), (NEXT, None)],
    "Infinity": [(in_event(b"-Infinity"), INVALID), (NEXT, None)],
    "a number no float holds": [(in_event(b"1e999"), INVALID), (NEXT, None)],
    "a lone surrogate": [(EVENT, None), (in_event(b'"\\ud800"'), INVALID), (NEXT, None)],
    "invalid UTF-8 in a string": [(EVENT, None), (in_event(b'"\xff"'), INVALID), (NEXT, None)],
    "a surrogate in UTF-8": [(in_event(b'"\xed\xa0\x80"'), INVALID), (NEXT, None)],
    "invalid UTF-8 between": [(EVENT, None), (b"\xff\xfe", FRAGMENT), (NEXT, None)],
    "UTF-16 that was not decoded": [(b'\xff\xfe{\x00"', FRAGMENT), (b"\0", BLANK)],
    "a raw newline in a string": [(in_event(b'"a\nb"'), INVALID), (NEXT, None)],
    "a trailing comma": [(in_event(b"1,"), INVALID), (NEXT, None)],
    "10,000 objects deep": [(EVENT, None), (nested(10_000, b'{"a":', b"}"), INVALID), (NEXT, None)],
    "10,000 arrays deep": [(EVENT, None), (nested(10_000, b"[", b"]"), INVALID), (NEXT, None)],
    "10,000 brackets never closed": [(EVENT, None), (b'{"a":' + b"[" * 10_000, INVALID)],
    "cut off at the end of the file": [(EVENT, None), (NEXT[:-1], FRAGMENT)],
    "cut off in a string": [(EVENT[:-5], FRAGMENT), (NEXT, None), (EVENT, None)],
    "cut off behind a backslash": [(b'{"version":"\\', FRAGMENT), (NEXT, None)],
    "cut off in a character": [(b'{"version":"\xf0\x9f', FRAGMENT), (NEXT, None)],
    "cut off behind an inner object": [(b'{"version":"0","detail":{"id":"a"}', INVALID), (NEXT, None)],
    "cut off at its beginning": [(b'"app","id":"a"}', FRAGMENT), (NEXT, None)],
    "what is whole in the rest of an event": [(b'"detail":', FRAGMENT), (b'{"id":"a"}', None), (b"}", FRAGMENT)],
    "two cut off": [(EVENT[:-9], FRAGMENT), (NEXT, None), (EVENT[:-20], FRAGMENT), (NEXT, None)],
    "an object in a damaged event is none": [(b'{"a":[{"id":"x","text":"y"},oops]}', INVALID), (NEXT, None)],
    "look-alikes of boundaries in front of damage": [(b'{"id":"}{","text":"}{","n":NaN}', INVALID), (NEXT, None)],
    "white space behind braces": [
        (b'{\n"n":NaN}', INVALID),
        (b"\n", BLANK),
        (b'{\r\n\t "a": 1}', None),
        (b"{ }", None),
    ],
    "an event's look-alike in its own text": [(in_event(b'"{\\"source\\":1,\\"detail\\":{}}"'), None)],
    "invalid UTF-8 right behind a short object": [(in_event(b'{"}{":1}'), None), (b"{}", None), (b"\xff", FRAGMENT)],
}


@pytest.mark.parametrize("parts", CASES.values(), ids=CASES.keys())
def test_file(parts: list[Part]) -> None:
    position, wanted = 0, []
    for text, flaw in parts:
        if flaw != BLANK:
            wanted.append((position, position + len(text), flaw))
        position += len(text)
    pieces = list(split(b"".join(text for text, _ in parts), LARGE))
    assert [(piece.start, piece.end, piece.flaw) for piece in pieces] == wanted


@pytest.mark.parametrize("padding", ["x", "é", "🌊", '"', "\\", "}{"])
@pytest.mark.parametrize("size", [*range(40, 80), 16_300, 65_480, 65_500, 65_530, 200_000])
def test_an_event_of_any_size_is_found_before_garbage(padding: str, size: int) -> None:
    """The parser is given growing windows; an edge of one may fall anywhere, also inside a character or an escape."""
    for ascii_only in (True, False):
        event = {"source": padding * size, "detail": {}}
        text = json.dumps(event, ensure_ascii=ascii_only).encode()
        found, rest = split(text + GARBAGE, LARGE * 4)
        assert (found.start, found.end, found.event) == (0, len(text), event)
        assert rest.flaw is FRAGMENT


@pytest.mark.parametrize("limit", [300, 5_000, 70_000])
@pytest.mark.parametrize("behind", [b"", b"\n", b" " * 100, b"{}", NEXT, b"garbage", b"\xff", b"}}}}}}}}}}}}}}}}}}}}"])
def test_the_largest_event_is_parsed_and_one_byte_more_is_not(limit: int, behind: bytes) -> None:
    def event(size: int) -> bytes:
        return b'{"source":1,"detail":"' + b"x" * (size - 24) + b'"}'

    for size in (limit - 20, limit - 12, limit - 11, limit - 5, limit - 1, limit):
        first = next(split(event(size) + behind, limit))
        assert (first.start, first.end, first.flaw) == (0, size, None)
    first = next(split(event(limit + 1) + behind, limit))
    assert first.event is None
    assert first.flaw is TOO_LARGE


def test_events_around_one_that_is_too_large_come_back() -> None:
    huge = in_event(b'"' + b"}{ " * 400_000 + b'"')
    data = EVENT + huge + NEXT + EVENT
    places = [0, len(EVENT), len(EVENT + huge), len(EVENT + huge + NEXT), len(data)]
    flaws = [None, TOO_LARGE, None, None]
    pieces: list[Piece] = list(split(data, LARGE))
    assert [(piece.start, piece.end, piece.flaw) for piece in pieces] == list(
        zip(places[:-1], places[1:], flaws, strict=True)
    )


SMALL = {"objects": b"{}", "no events": b'{"id":1}', "no JSON": b'{"a":NaN}', "broken": b'{"a":[}'}


def events_in(data: bytes, pieces: list[Piece]) -> list[bytes]:
    return [data[piece.start : piece.end] for piece in pieces if piece.event and "source" in piece.event]


@pytest.mark.parametrize("small", SMALL.values(), ids=SMALL.keys())
def test_a_flood_of_small_pieces_is_one_piece_up_to_the_next_event(small: bytes) -> None:
    """The first ones are told apart, and no event is lost, however many floods there are."""
    data = b"".join([EVENT, small * 200, NEXT, small * 200, EVENT, NEXT, small * 200])
    pieces = list(split(data, LARGE))
    assert events_in(data, pieces) == [EVENT, NEXT, EVENT, NEXT]
    assert b"".join(data[piece.start : piece.end] for piece in pieces) == data
    assert 68 < len(pieces) < 80
    assert max(piece.end - piece.start for piece in pieces) > 190 * len(small)


def test_a_flood_of_broken_envelopes_takes_few_events_with_it() -> None:
    """Each candidate costs time, so that not all are looked at; what follows the flood comes back all the same."""
    data = (b'{"id":NaN}' * 50_000 + NEXT * 100) * 3
    found = events_in(data, list(split(data, LARGE)))
    assert set(found) == {NEXT}
    assert 300 - 3 * 40 < len(found) <= 300


def test_garbage_between_small_events_is_no_flood() -> None:
    pieces = list(split(b";" + (NEXT + b";") * 1_000 + b"{}" * 60, LARGE))
    assert [piece.flaw for piece in pieces] == [FRAGMENT, *[None, FRAGMENT] * 1_000, *[None] * 60]


def test_objects_that_are_not_small_are_no_flood() -> None:
    text = b'{"a":"%s"}' % (b"x" * 256)
    assert [piece.flaw for piece in split(text * 1_000, LARGE)] == [None] * 1_000
