"""Strategies: events as producers write them, what may lie between them, and what may have gone wrong with them."""

import json
from typing import Any, NamedTuple

from hypothesis import strategies as st

BOM = b"\xef\xbb\xbf"
LOOK_ALIKES = (
    *("}{", '"}{"', '}{"id":', '{"source":"x","detail":{}}', '{"version": "0"', "}\n{", "\\", '\\"', "\\\\}{"),
    *("{", "}", "[", "é", "🌊", "\u2028", "\ufeff", "\x00", "\x7f", "\n"),
)
SIZES = (0, 1, 200, 248, 249, 250, 251, 252, 253, 254, 255, 256, 257, 1_000, 1_030, 4_100)
"""Paddings: the splitter tries windows of 256 bytes and more, so events end just before and after their edges."""

ENVELOPE = ("version", "id", "detail-type", "account", "time", "region", "resources", "source", "detail")

texts = st.lists(st.sampled_from(LOOK_ALIKES) | st.text(max_size=3), max_size=4).map("".join)
paddings = st.builds(
    lambda char, size: char * size, st.sampled_from(("x", "é", "🌊", '"', "\\")), st.sampled_from(SIZES)
)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
values = st.recursive(
    _scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
objects = st.dictionaries(texts, values | paddings, max_size=4)


@st.composite
def _events(draw: st.DrawFn) -> dict[str, Any]:
    """An envelope: `source` and `detail` are there, and it begins with a member that envelopes have."""
    names = draw(st.lists(st.sampled_from(ENVELOPE[:-2]), max_size=3, unique=True))
    names = draw(st.permutations([*names, "source", "detail"]))
    event = {name: draw(values | paddings) for name in names}
    return {**event, **draw(objects)}


events = _events()


@st.composite
def written(draw: st.DrawFn, what: st.SearchStrategy[dict[str, Any]]) -> bytes:
    """An object as JSON text, in one of the styles that JSON allows."""
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:\r\n")]))
    indent = draw(st.sampled_from([None, None, 1]))
    ascii_only = draw(st.booleans())
    text = json.dumps(draw(what), separators=separators, indent=indent, ensure_ascii=ascii_only)
    return text.encode()


blanks = st.lists(st.sampled_from([b"\n", b"\r\n", b" ", b"\t", BOM]), max_size=4).map(b"".join)

_SHARDS = (
    *(bytes([byte]) for byte in b'{}[]",:\\ \n0-'),
    *(b'{"', b'"}', b'}{"', b"{}", b'{"a":1}', b'{"id":', b'{"source":"', b'{"version":"0","detail":{'),
    *(b'"detail":{}}', b"NaN", b"nul", b"\\u12", b"\\ud800", b"1e999"),
    *(b"\xff", b"\xc3", b"\xf0\x9f\x8c", b"\xed\xa0\x80", BOM, BOM[:2]),
)


@st.composite
def _torn(draw: st.DrawFn) -> bytes:
    """An event that lost its end, its beginning or its middle."""
    text = draw(written(events))
    start, end = sorted([draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))])
    return draw(st.sampled_from([text[:start], text[start:], text[:start] + text[end:]]))


garbage = st.lists(st.sampled_from(_SHARDS) | st.binary(max_size=4) | _torn(), max_size=4).map(b"".join)


class Placed(NamedTuple):
    """A text and where it stands in a file."""

    start: int
    end: int
    text: bytes


class File(NamedTuple):
    """A file, and the whole objects that were put into it."""

    data: bytes
    placed: list[Placed]


@st.composite
def files(draw: st.DrawFn, what: st.SearchStrategy[bytes], between: st.SearchStrategy[bytes]) -> File:
    data = draw(between)
    placed = []
    for text in draw(st.lists(what, max_size=4)):
        placed.append(Placed(len(data), len(data) + len(text), text))
        data += text + draw(between)
    return File(data, placed)
