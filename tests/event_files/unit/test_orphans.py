"""Objects that no commit knows are swept after a day, and nothing else ever is."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from sluice.event_files.ledger.model import clean_key, dirty_key, unrelated_key
from sluice.event_files.orphans import sweep
from sluice.lake.keys import timestamped_id
from tests.support.memory_object_store import MemoryObjectStore

NOW = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)


def lake_of(objects: dict[str, datetime]) -> MemoryObjectStore:
    return MemoryObjectStore(dict.fromkeys(objects, b""), modified=objects)


class Ledger:
    def __init__(self, *known: str) -> None:
        self._known = known

    def known_chunks(self, chunk_ids: Iterable[str]) -> frozenset[str]:
        return frozenset(chunk_ids) & frozenset(self._known)


def chunk(age: timedelta) -> tuple[str, datetime]:
    return timestamped_id(NOW - age, "token"), NOW - age


@pytest.mark.parametrize("key_of", [clean_key, dirty_key, unrelated_key])
@pytest.mark.parametrize(
    ("hours", "swept"), [(0, False), (23.9, False), (24.1, True), (30, True), (6 * 24, True), (9 * 24, False)]
)
def test_by_age(key_of: type[str], hours: float, swept: bool) -> None:
    chunk_id, written = chunk(timedelta(hours=hours))
    lake = lake_of({key_of(chunk_id): written})
    assert sweep(lake, Ledger(), NOW) == ([key_of(chunk_id)] if swept else [])
    assert bool(lake.objects) is not swept


def test_what_was_committed_stays() -> None:
    chunk_id, written = chunk(timedelta(days=2))
    lake = lake_of({clean_key(chunk_id): written, dirty_key(chunk_id): written})
    assert sweep(lake, Ledger(chunk_id), NOW) == []
    assert len(lake.objects) == 2
