"""The event files' part of `sluice doctor`: the ledger against the objects of its chunks."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from operator import itemgetter

from cli.event_files.dirty_checks import find_wrong_dirty
from cli.event_files.ledger import find_chunk, runs_of
from cli.event_files.row_checks import find_wrong_rows
from cli.platform.console import plural, shell
from cli.platform.registry import Check, Finding
from cli.platform.session import Deployment
from sluice.aws.runtime import Item
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger
from sluice.event_files.ledger.model import (
    CLEAN_PREFIX,
    CONVERTED,
    DIRTY_PREFIX,
    PENDING,
    UNRELATED_PREFIX,
    chunk_id_of,
    clean_key,
    dirty_key,
)
from sluice.lake.object_store import ListedObject
from sluice.lake.object_store_s3 import S3ObjectStore

_GRACE = timedelta(days=1)  # far longer than any invocation lives between writing a chunk and committing it
_TOGETHER = 1000  # orphans of a finding

Entry = tuple[str, Item | ListedObject]
"""A chunk's id, and its record or one of its objects."""


def checks(deployment: Deployment) -> list[Check]:
    """Return the checks of event files."""
    return [
        Check("Chunks and their objects", _ChunkObjects(deployment).find),
        Check("Rows of tables and the ledger's counts", partial(find_wrong_rows, deployment)),
        Check("Rows of DIRTY_EVENTS and the ledger's counts", partial(find_wrong_dirty, deployment)),
    ]


class _ChunkObjects:
    """The chunks of the ledger and their objects, side by side: both come in the order of chunks' ids.

    Whatever seems wrong is looked at once more: chunks are converted, and objects written, meanwhile.
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._lake = S3ObjectStore(deployment.s3, deployment.output("LakeBucket"))
        self._runs = runs_of(deployment)
        self._ledger = DynamoLedger(deployment.dynamodb, deployment.output("LedgerTable"))

    def find(self, looked_at: Callable[[], None]) -> Iterator[Finding]:
        """Yield what is wrong with any chunk."""
        before, orphans = datetime.now(UTC) - _GRACE, list[str]()
        for chunk_id, entries in groupby(self._entries(), itemgetter(0)):
            looked_at()
            found = [entry for _, entry in entries]
            objects = [each for each in found if isinstance(each, ListedObject)]
            records = [each for each in found if not isinstance(each, ListedObject)]
            keys = {each.key for each in objects}
            if not records:
                orphans += (each.key for each in objects if each.modified < before)
            elif any(each["pk"] == CONVERTED for each in records):
                yield from self._left_over(chunk_id, keys)
            else:
                yield from self._gone(records[0], keys)
            if len(orphans) >= _TOGETHER:
                yield from self._orphans(orphans)
                orphans = []
        yield from self._orphans(orphans)

    def _entries(self) -> Iterator[Entry]:
        records = [map(_record_entry, self._runs.items_under(state)) for state in (PENDING, CONVERTED)]
        prefixes = (CLEAN_PREFIX, DIRTY_PREFIX, UNRELATED_PREFIX)
        objects = [map(_object_entry, self._lake.list(prefix)) for prefix in prefixes]
        return heapq.merge(*records, *objects, key=itemgetter(0))

    def _gone(self, chunk: Item, keys: set[str]) -> Iterator[Finding]:
        wanted = {clean_key(chunk["sk"]): chunk["segments"], dirty_key(chunk["sk"]): chunk["dirty_length"]}
        gone = [key for key, has in wanted.items() if has and key not in keys and not self._lake.exists(key)]
        if gone and (now := find_chunk(self._deployment, chunk["sk"])) and now["pk"] == PENDING:
            yield Finding(
                kind="object gone",
                place=f"chunk {chunk['sk']}",
                message=f"waits for its conversion, and {' and '.join(gone)} {'is' if len(gone) == 1 else 'are'} gone",
                advice="Runs leave it out. Restore the object (a lasting stage's bucket keeps versions), or have the "
                f"chunk's files validated again: {shell('sluice', 'ingest', '--again', chunk['sk'])}",
            )

    def _left_over(self, chunk_id: str, keys: set[str]) -> Iterator[Finding]:
        key = clean_key(chunk_id)
        if key in keys and not self._runs.open_run() and self._lake.exists(key):
            yield Finding(
                kind="left over",
                place=f"chunk {chunk_id}",
                message=f"is converted, and {key} is still there",
                advice="Say --repair: it is deleted, as it should have been.",
                harmless=True,
                repair=partial(self._delete_converted, chunk_id),
            )

    def _orphans(self, keys: Sequence[str]) -> Iterator[Finding]:
        if orphans := self._unknown(keys):
            yield Finding(
                kind="no chunk",
                place=orphans[0],
                message=f"{plural(len(orphans), 'object')} older than a day, this one first, of chunks that were never "
                "committed: what they hold was validated again",
                advice="Say --repair: they are deleted. The daily sweep does so too, within a week.",
                harmless=True,
                repair=partial(self._delete_unknown, orphans),
            )

    def _unknown(self, keys: Sequence[str]) -> list[str]:
        known = self._ledger.known_chunks(map(chunk_id_of, keys))
        return [key for key in keys if chunk_id_of(key) not in known]

    def _delete_unknown(self, keys: Sequence[str]) -> None:
        self._lake.delete(self._unknown(keys))

    def _delete_converted(self, chunk_id: str) -> None:
        if (chunk := find_chunk(self._deployment, chunk_id)) and chunk["pk"] == CONVERTED:
            self._lake.delete([clean_key(chunk_id)])


def _record_entry(item: Item) -> Entry:
    return item["sk"], item


def _object_entry(found: ListedObject) -> Entry:
    return chunk_id_of(found.key), found
