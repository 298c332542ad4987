"""Plan of what a compaction is to rewrite: pure functions of the files that tables have."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sluice.contracts.model import PROFILING_LOG
from sluice.lake.batching import cut
from sluice.lake.object_store import RUNS_PREFIX

COMPACTIONS_PREFIX = f"{RUNS_PREFIX}compact-"
"""Prefix of what runs of Compact leave; their ids begin with ``compact-``."""

LEFT_ALONE = frozenset({PROFILING_LOG.name})
"""Tables that are never compacted: the search loader knows a run's profiling log by the name of its file."""

_GROUP_FILES = 2000  # a group has no more files: its function lists them in its input
_GROUP_TARGETS = 4  # a group is no more than so many full files: what a function does in a few minutes
_REWRITE_FILES = 500


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file (key) of an hour (``YYYY-MM-DDTHH``) of a table, all of whose rows are the table's."""

    key: str
    hour: str
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Files (keys) of one hour of a table that become one, with their rows."""

    hour: str
    files: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class Group:
    """Rewrites of one table that are committed together."""

    run_id: str
    group_id: str
    table: str
    rewrites: tuple[Rewrite, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the JSON of a group."""
        rewrites = (Rewrite(**{**each, "files": tuple(each["files"])}) for each in value["rewrites"])
        return cls(**{**value, "rewrites": tuple(rewrites)})


@dataclass(frozen=True, slots=True)
class Plan:
    """The work of a run of Compact; its groups are the items of the Map state."""

    run_id: str
    tables: tuple[str, ...]
    groups: tuple[Group, ...]

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the JSON of a plan."""
        return cls(value["run_id"], tuple(value["tables"]), tuple(map(Group.from_json, value["groups"])))


class UnknownTableError(Exception):
    """A table was asked for that is not there, or is never compacted; the message names those that can be."""


def plan_key(run_id: str) -> str:
    """Return the key of a run's plan."""
    return f"{RUNS_PREFIX}{run_id}/plan.json"


def chosen(known: Iterable[str], wanted: Sequence[str]) -> tuple[str, ...]:
    """Return the tables to compact: those that are wanted, in any case of letters, or all. Raises UnknownTableError."""
    tables = {each.upper(): each for each in known if each not in LEFT_ALONE}
    if unknown := [each for each in wanted if each.upper() not in tables]:
        raise UnknownTableError(
            f"{', '.join(unknown)}: no table that can be compacted; there are: {', '.join(sorted(tables.values()))}"
        )
    return tuple(tables[each.upper()] for each in dict.fromkeys(wanted)) or tuple(tables.values())


def plan_groups(
    run_id: str, table: str, files: Iterable[DataFile], target_bytes: int, *, whole_hours: bool
) -> Iterator[Group]:
    """Yield the rewrites of a table in groups.

    Small files, of less than half the target, become files of the target's size at most, hour by hour. With
    `whole_hours`, all files of an hour become one where that is no larger: else no row would meet its double.
    """
    rewrites = []
    for hour, found in sorted(_by_hour(files).items()):
        whole = whole_hours and sum(each.bytes for each in found) <= target_bytes
        small = [each for each in found if whole or 2 * each.bytes < target_bytes]
        for lot in cut(sorted(small, key=lambda each: each.key), lambda each: each.bytes, target_bytes, _REWRITE_FILES):
            if len(lot) > 1:
                rewrite = Rewrite(hour, tuple(each.key for each in lot), sum(each.rows for each in lot))
                rewrites.append((rewrite, sum(each.bytes for each in lot)))
    groups = cut(
        rewrites, lambda each: each[1], _GROUP_TARGETS * target_bytes, _GROUP_FILES, lambda each: len(each[0].files)
    )
    for number, group in enumerate(groups):
        yield Group(run_id, f"{table}-{number:04}", table, tuple(rewrite for rewrite, _ in group))


def left_over(groups: Iterable[Group], files: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    """Return the hours, by table, of which small files are as they were when the groups were planned."""
    left: dict[str, list[str]] = defaultdict(list)
    for group in groups:
        for rewrite in group.rewrites:
            if len(files[group.table].intersection(rewrite.files)) > 1 and rewrite.hour not in left[group.table]:
                left[group.table].append(rewrite.hour)
    return {table: hours for table, hours in left.items() if hours}


def _by_hour(files: Iterable[DataFile]) -> dict[str, list[DataFile]]:
    by_hour = defaultdict(list)
    for each in files:
        by_hour[each.hour].append(each)
    return by_hour
