"""Hostile files cost no more per byte than short ones: counted in bytes parsed and searched, not in seconds."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from sluice.events import splitter

EVENT = b'{"version":"0","id":"i","source":"s","detail":{"id":"x"}}'
FILES: dict[str, Callable[[int], bytes]] = {
    "whole events": lambda size: EVENT * (size // len(EVENT)),
    "nested objects": lambda size: b'{"a":' * (size // 5),
    "nested envelopes": lambda size: b'{"version":' * (size // 11),
    "nested arrays": lambda size: b'{"a":' + b"[" * size,
    "open strings": lambda size: b'{"' * (size // 2),
    "open envelopes": lambda size: b'{"id":"' * (size // 7),
    "events without end": lambda size: EVENT[:-1] * (size // len(EVENT)),
    "events without two ends": lambda size: EVENT[:-2] * (size // len(EVENT)),
    "events cut in a string": lambda size: EVENT[:20] * (size // 20),
    "commas between": lambda size: (EVENT + b",") * (size // len(EVENT)),
    "commas between, boundaries far apart": lambda size: ((EVENT + b",") * 35 + b"{}") * (size // 2_000),
    "bytes of no character between": lambda size: (EVENT + b"\xff") * (size // len(EVENT)),
    "bytes of no character within": lambda size: b'{"id":"%b\xff"}' % (b"x" * 200) * (size // 211),
    "byte order marks between": lambda size: (EVENT + b"\xef\xbb\xbf") * (size // len(EVENT)),
    "boundaries in a string": lambda size: b'{"a":"' + b"}{" * (size // 2) + b'"}',
    "boundaries in strings": lambda size: b'{"a":["' + b'}{","' * (size // 5) + b'"]}',
    "boundaries in strings, never closed": lambda size: b'{"a":["' + b'}{","' * (size // 5),
    "objects in an open array": lambda size: b'{"id":[1' + b',{"id":1}' * (size // 9),
    "NaN": lambda size: b'{"id":NaN,"a":"%b"}' % (b"}{ " * 60) * (size // 197),
    "a survivor in damage": lambda size: (b'{"id":[' * 20 + EVENT) * (size // 197),
    "long damage": lambda size: (b'{"id":"' + b"x" * 5_000 + EVENT) * (size // 5_000),
    "one event": lambda size: b'{"id":"' + "🌊".encode() * (size // 4) + b'"}',
    "one event that never ends": lambda size: b'{"id":"' + b"\\u00e9" * (size // 6),
    "one event with a bad end": lambda size: b'{"id":"' + "🌊".encode() * (size // 4) + b"\xff",
}
SIZE = 100_000  # larger than the largest piece that is parsed in vain for one event (64 KiB)
SLACK = 1.3


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of what the splitter gave to the parser and of what it searched for boundaries."""
    sizes: list[int] = []
    boundary = splitter._BOUNDARY

    def loads(text: memoryview) -> Any:
        sizes.append(len(text) + 1)
        return orjson.loads(text)

    def search(data: bytes, position: int) -> re.Match[bytes] | None:
        match = boundary.search(data, position)
        sizes.append((match.end() if match else len(data)) - position + 1)
        return match

    monkeypatch.setattr(splitter, "orjson", SimpleNamespace(loads=loads, JSONDecodeError=orjson.JSONDecodeError))
    monkeypatch.setattr(splitter, "_BOUNDARY", SimpleNamespace(search=search))
    return sizes


@pytest.mark.parametrize("make", FILES.values(), ids=FILES.keys())
def test_work_grows_with_size_only(make: Callable[[int], bytes], work: list[int]) -> None:
    totals = []
    for size in (SIZE, 4 * SIZE):
        work.clear()
        pieces = list(splitter.split(make(size), 16 << 20))
        assert pieces
        totals.append(sum(work))
    assert totals[1] <= 4 * SLACK * totals[0]
