"""Strategies: events as producers write them, what may lie between them, and what may have gone wrong with them."""

import json
import random
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from cli.contracts.generation import generate_event
from sluice.contracts.model import Contract
from tests.event_files.unit.validate.contract_events import CONTRACTS, NUMBERS, UNKNOWN_NAMES

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


_NUMBER = r"-?(0|[1-9][0-9]{0,24})(\.[0-9]{1,24})?([eE][+-]?[0-9]{1,2})?"
_quoted = texts.map(json.dumps)
raw_values = st.recursive(
    st.sampled_from(("true", "null", *NUMBERS)) | st.from_regex(_NUMBER, fullmatch=True) | _quoted,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(_quoted, inner).map(":".join), max_size=3).map(lambda members: f"{{{','.join(members)}}}")
    ),
    max_leaves=4,
)
"""JSON texts with numbers of any spelling, and now and then a member twice."""


@st.composite
def contract_events(draw: st.DrawFn) -> tuple[Contract, bytes]:
    """An event of a contract as JSON text, clean as a rule: other members, or other values, anywhere in it."""
    contract = draw(st.sampled_from(CONTRACTS))
    event = json.loads(json.dumps(generate_event(contract, random.Random(draw(st.integers(0, 99))))))
    values: list[str] = []
    for _ in range(draw(st.integers(0, 3))):
        node = draw(st.sampled_from(list(_objects(event))))
        name = json.loads(draw(st.sampled_from([*UNKNOWN_NAMES, *map(json.dumps, node)])))
        node[name] = f"0hole{len(values)}"
        values.append(draw(raw_values))
    text = json.dumps(event, separators=draw(st.sampled_from([(",", ":"), (" ,\n", "\t:\r\n")])))
    if draw(st.booleans()):  # names and texts begin with an escape
        text = re.sub('"([a-z])', lambda found: f'"\\u{ord(found[1]):04x}', text)
    for number, value in enumerate(values):
        text = text.replace(f'"0hole{number}"', value)
    twice = draw(st.sampled_from(["", *map(json.dumps, event)]))
    return contract, (text.replace("{", f"{{{twice}:{draw(raw_values)},", 1) if twice else text).encode()


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(member)


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
