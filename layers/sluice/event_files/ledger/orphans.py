"""Orphans: chunk objects that were written but never committed, because their invocation died."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from sluice.event_files.ledger.model import CLEAN_PREFIX, DIRTY_PREFIX, UNRELATED_PREFIX, chunk_id_of
from sluice.lake.object_store import ObjectStore

_GRACE = timedelta(days=1)  # far longer than any invocation lives between writing a chunk and committing it
_DAYS_BACK = 7  # the sweep may fail for some days and still catch up


def sweep(lake: ObjectStore, known_chunks: Callable[[Iterable[str]], frozenset[str]], now: datetime) -> list[str]:
    """Delete the orphans of the last days that are older than a day; return their keys.

    `known_chunks` returns those chunks that were committed.
    """
    removed: list[str] = []
    for back in range(1, _DAYS_BACK + 1):
        day = now - timedelta(days=back)
        for prefix in (CLEAN_PREFIX, DIRTY_PREFIX, UNRELATED_PREFIX):
            old = [found.key for found in lake.list(f"{prefix}{day:%Y/%m/%d}/") if found.modified < now - _GRACE]
            known = known_chunks({chunk_id_of(key) for key in old})
            orphans = [key for key in old if chunk_id_of(key) not in known]
            lake.delete(orphans)
            removed += orphans
    return removed
