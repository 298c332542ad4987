"""Objects that no commit knows are swept after a day, and nothing else ever is."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from sluice.event_files.orphans import sweep
from sluice.lake.keys import clean_key, dirty_key, timestamped_id, unrelated_key

NOW = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)


class Lake:
    def __init__(self, objects: dict[str, datetime]) -> None:
        self.objects = objects

    def list(self, prefix: str) -> Iterator[tuple[str, datetime]]:
        return iter([item for item in sorted(self.objects.items()) if item[0].startswith(prefix)])

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            del self.objects[key]


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
    lake = Lake({key_of(chunk_id): written})
    assert sweep(lake, Ledger(), NOW) == ([key_of(chunk_id)] if swept else [])
    assert bool(lake.objects) is not swept


def test_what_was_committed_stays() -> None:
    chunk_id, written = chunk(timedelta(days=2))
    lake = Lake({clean_key(chunk_id): written, dirty_key(chunk_id): written})
    assert sweep(lake, Ledger(chunk_id), NOW) == []
    assert len(lake.objects) == 2
