"""Hostile files cost no more per byte than short ones: counted in bytes parsed and searched, not in seconds."""

import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from sluice.event_files.validate import splitter
from tests.event_files.unit.validate.hostile_files import FILES

SIZE = 100_000  # larger than the largest piece that is parsed in vain for one event (64 KiB)
SLACK = 1.3


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of what the splitter gave to the parser and of what it searched for boundaries."""
    sizes: list[int] = []

    class Counted(SimpleNamespace):
        pattern: re.Pattern[bytes]

        def match(self, data: bytes, position: int) -> re.Match[bytes] | None:
            return self.pattern.match(data, position)

        def search(self, data: bytes, position: int) -> re.Match[bytes] | None:
            match = self.pattern.search(data, position)
            sizes.append((match.end() if match else len(data)) - position + 1)
            return match

        def finditer(self, data: bytes, position: int) -> Iterator[re.Match[bytes]]:
            begun = position
            for match in self.pattern.finditer(data, position):
                sizes.append(match.end() - begun + 1)
                begun = match.end()
                yield match
            sizes.append(len(data) - begun + 1)

    def loads(text: memoryview) -> Any:
        sizes.append(len(text) + 1)
        return orjson.loads(text)

    monkeypatch.setattr(splitter, "orjson", SimpleNamespace(loads=loads, JSONDecodeError=orjson.JSONDecodeError))
    for name in ("_BOUNDARY", "_FRAMED_BOUNDARY"):
        monkeypatch.setattr(splitter, name, Counted(pattern=getattr(splitter, name)))
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
