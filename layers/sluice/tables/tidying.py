"""Find what nothing refers to: objects in the folders of tables that no snapshot has, and that none will."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sluice.lake.object_store import ListedObject

_TIME = len("20260131T235959123456Z")


@dataclass(frozen=True, slots=True)
class References:
    """Lists what a table needs: the keys that its snapshots and metadata refer to.

    `newest_run` is the newest run of Convert that added files to it ("": none did), `created` when it was created.
    """

    keys: frozenset[str]
    newest_run: str
    created: datetime


def unneeded(
    listed: Iterable[ListedObject], needed: References, newest_run: str, before: datetime
) -> Iterator[ListedObject]:
    """Yield the objects of a table's folder that can go, given the newest run of Convert in any table.

    They lie there since `before`: what an attempt that is still at work wrote is younger. A run of Convert may be open
    for longer, and has files that no snapshot names yet; as there is one run at a time, those older than the newest
    that added rows are over. Objects older than the table are none of its own.
    """
    for each in listed:
        if each.key not in needed.keys and needed.created <= each.modified < before and _is_over(each.key, newest_run):
            yield each


def is_of_convert(name: str) -> bool:
    """Return whether a run's id, or a file's name, which begins with it, is of Convert: others begin with a word."""
    return name[:1].isdigit()


def _is_over(key: str, newest_run: str) -> bool:
    name = key.rpartition("/")[2]
    return not (name.endswith(".parquet") and is_of_convert(name)) or name[:_TIME] < newest_run[:_TIME]
