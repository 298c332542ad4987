"""Observations of slots: made from their folders, manifests and schemas, and kept as the state of the histories.

The state is one Parquet object per environment that several writers add to.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, chain
from typing import Any, TypeVar

import orjson

from sluice.lake.object_store import ObjectStore, StoredObject
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.history_files import state_key
from sluice.vendor_exports.completeness.observation_file import State, read_state, write_observations
from sluice.vendor_exports.completeness.slot_history import Observation
from sluice.vendor_exports.delivery.manifest import safe_name
from sluice.vendor_exports.delivery.master_schema import MAX_NAMES_BYTES, MAX_SCHEMA_BYTES, MAX_TABLES, read_schema
from sluice.vendor_exports.delivery.model import MANIFEST, MASTER_SCHEMA, Slot, table_of

ATTEMPTS = 20
"""Attempts of a write while other writers are faster."""


class HistoryBusyError(Exception):
    """Others wrote the same objects at every attempt; nothing is lost, the next update does it."""


def merge(*groups: Iterable[Observation]) -> list[Observation]:
    """Return the latest observation of each slot, in order of slots; any order and repetition gives the same."""
    latest: dict[Slot, Observation] = {}
    for observation in chain(*groups):
        other = latest.get(observation.slot)
        if other is None or _rank(other) < _rank(observation):
            latest[observation.slot] = observation
    return [latest[slot] for slot in sorted(latest, key=lambda slot: slot.hour)]


def _rank(seen: Observation) -> tuple[Any, ...]:
    """Order the observations of a slot by time; for equal times the order is fixed as well."""
    return seen.observed_at, seen.files, seen.size, seen.tables, seen.schema is not None, seen.schema or ()


def state_of(stored: StoredObject | None) -> State:
    """Return the state that an object holds; an empty one where there is none yet."""
    return State([]) if stored is None else read_state(stored.body)


def observations_of(stored: StoredObject | None) -> list[Observation]:
    """Return the observations of a state, in order of slots; none where there is no state yet."""
    return state_of(stored).observations


def record(lake: ObjectStore, environment: Environment, observations: Sequence[Observation]) -> None:
    """Merge observations into the state; what is in it beyond the limits goes, though there are none to merge.

    Raises:
        HistoryBusyError: Others were faster at every attempt.
    """
    key = state_key(environment)
    for _ in range(ATTEMPTS):
        stored = lake.find(key)
        state = state_of(stored)
        if not (observations or state.beyond_limits):
            return
        body = write_observations(merge(state.observations, observations))
        if stored is not None and stored.body == body:
            return
        if lake.replace(key, body, None if stored is None else stored.etag):
            return
    raise busy_error(key)


def busy_error(key: str) -> HistoryBusyError:
    """Return the error for an object that others kept writing."""
    return HistoryBusyError(f"{key} was written by others {ATTEMPTS} times; run the update again")


_SLOTS, _BODIES = 48, 8  # that are looked into, and read, at a time: a hostile one has a million files, or 16 MB
MAX_MANIFEST_BYTES = 4 << 20
"""A larger manifest is not read; then every file in its folder counts."""

T = TypeVar("T")
Files = Mapping[str, int]
"""Bytes of each file of a folder, by its name."""


def observe(
    lake: ObjectStore, environment: Environment, slots: Sequence[Slot], observed_at: datetime
) -> list[Observation]:
    """Return one observation per slot, in the order of `slots`; a slot without any file has one too."""
    groups = (slots[start : start + _SLOTS] for start in range(0, len(slots), _SLOTS))
    return [seen for group in groups for seen in _observe(lake, environment, group, observed_at)]


def _observe(
    lake: ObjectStore, environment: Environment, slots: Sequence[Slot], observed_at: datetime
) -> list[Observation]:
    folders = _list_folders(lake, [slot.folder(environment) for slot in slots])
    manifests = _read(lake, folders, MANIFEST, MAX_MANIFEST_BYTES, _names_in)
    delivered = {prefix: _delivered(files, manifests.get(prefix)) for prefix, files in folders.items()}
    schemas = _read(lake, delivered, MASTER_SCHEMA, MAX_SCHEMA_BYTES, read_schema)
    return [
        Observation(slot, observed_at, len(files), sum(files.values()), _tables_in(files), schemas.get(prefix))
        for slot, (prefix, files) in zip(slots, delivered.items(), strict=True)
    ]


def _list_folders(lake: ObjectStore, prefixes: Sequence[str]) -> dict[str, Files]:
    folders: dict[str, dict[str, int]] = {prefix: {} for prefix in prefixes}
    for entry in lake.list_all(prefixes):
        end = entry.key.rfind("/") + 1
        if (folder := folders.get(entry.key[:end])) is not None:
            folder[entry.key[end:]] = entry.size
    return dict(folders)


def _read(
    lake: ObjectStore, folders: Mapping[str, Files], name: str, max_bytes: int, read: Callable[[bytes], T | None]
) -> dict[str, T | None]:
    """Read the files of a name, by their folders; None where one is gone, too large, or not readable."""
    prefixes = [prefix for prefix, files in folders.items() if name in files]
    found: dict[str, T | None] = {}
    for start in range(0, len(prefixes), _BODIES):
        group = prefixes[start : start + _BODIES]
        bodies = lake.find_all([prefix + name for prefix in group], max_bytes)
        found |= {prefix: None if body is None else read(body) for prefix, body in zip(group, bodies, strict=True)}
    return found


def _delivered(files: Files, listed: frozenset[str] | None) -> Files:
    """Return the files of the slot's delivery; files that an earlier job left in the folder do not count."""
    # Some clients leave an empty object that stands for the folder.
    return {
        name: size for name, size in files.items() if name not in {"", MANIFEST} and (listed is None or name in listed)
    }


def _tables_in(files: Files) -> tuple[str, ...]:
    """Return the tables of files; as many as the histories keep, if there are more."""
    tables = sorted({table for name in files if (table := table_of(name))})
    ends = accumulate(len(table.encode()) for table in tables)
    return tuple(table for table, end in zip(tables[:MAX_TABLES], ends, strict=False) if end <= MAX_NAMES_BYTES)


def _names_in(manifest: bytes) -> frozenset[str] | None:
    """Return the names of a manifest's files; None if it is not a list of files, or empty."""
    try:
        names = frozenset(safe_name(entry["key"]) or "" for entry in orjson.loads(manifest))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return names - {""} or None
