"""Observation of slots: list their folders, and read manifests and schemas."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from sluice.lake.object_store import ListedObject, ObjectStore
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.completeness.slot_history import Observation
from sluice.vendor_exports.delivery.manifest import safe_name
from sluice.vendor_exports.delivery.master_schema import MAX_SCHEMA_BYTES, Schema, read_schema
from sluice.vendor_exports.delivery.slots import MANIFEST, MASTER_SCHEMA, Slot, table_of

MAX_MANIFEST_BYTES = 4 << 20
"""A larger manifest is not read; then every file in its folder counts."""


@dataclass(slots=True)
class _Folder:
    files: int = 0
    size: int = 0
    tables: set[str] = field(default_factory=set)
    has_schema: bool = False

    def add(self, name: str, size: int) -> None:
        self.files += 1
        self.size += size
        if table := table_of(name):
            self.tables.add(table)
        elif name == MASTER_SCHEMA:
            self.has_schema = True


def observe(
    lake: ObjectStore, environment: Environment, slots: Sequence[Slot], observed_at: datetime
) -> list[Observation]:
    """Observe the folders of some slots.

    Args:
        lake: The bucket with the slots' folders.
        environment: The flow.
        slots: The slots, each once.
        observed_at: Begin of the observation, UTC.

    Returns:
        One observation per slot, in the order of `slots`; a slot without any file has one too.
    """
    prefixes = [slot.folder(environment) for slot in slots]
    found = _delivered(lake, _sort_in(lake.list_all(prefixes), prefixes))
    schemas = _read_schemas(lake, found)
    return [
        Observation(slot, observed_at, folder.files, folder.size, tuple(sorted(folder.tables)), schemas.get(prefix))
        for slot, (prefix, folder) in zip(slots, found.items(), strict=True)
    ]


def _sort_in(listing: Iterable[ListedObject], prefixes: Iterable[str]) -> dict[str, dict[str, int]]:
    """Return the bytes of each file by its name, by folder."""
    found: dict[str, dict[str, int]] = {prefix: {} for prefix in prefixes}
    for entry in listing:
        end = entry.key.rfind("/") + 1
        if (folder := found.get(entry.key[:end])) is not None:
            folder[entry.key[end:]] = entry.size
    return found


def _delivered(lake: ObjectStore, found: dict[str, dict[str, int]]) -> dict[str, _Folder]:
    """Return each slot's delivery; files that an earlier job of the slot left in its folder do not count."""
    listed = _read_manifests(lake, [prefix for prefix, files in found.items() if MANIFEST in files])
    return {prefix: _summary(files, listed.get(prefix)) for prefix, files in found.items()}


def _summary(files: Mapping[str, int], listed: frozenset[str] | None) -> _Folder:
    folder = _Folder()
    for name, size in files.items():
        # Some clients leave an empty object that stands for the folder.
        if name not in {"", MANIFEST} and (listed is None or name in listed):
            folder.add(name, size)
    return folder


def _read_manifests(lake: ObjectStore, prefixes: Sequence[str]) -> dict[str, frozenset[str] | None]:
    bodies = lake.find_all([prefix + MANIFEST for prefix in prefixes], MAX_MANIFEST_BYTES)
    return {prefix: None if body is None else _names_in(body) for prefix, body in zip(prefixes, bodies, strict=True)}


def _names_in(manifest: bytes) -> frozenset[str] | None:
    """Return the names of a manifest's files; None if it is not a list of files, or empty."""
    try:
        names = frozenset(safe_name(entry["key"]) or "" for entry in orjson.loads(manifest))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return names - {""} or None


def _read_schemas(lake: ObjectStore, found: dict[str, _Folder]) -> dict[str, Schema | None]:
    prefixes = [prefix for prefix, folder in found.items() if folder.has_schema]
    bodies = lake.find_all([prefix + MASTER_SCHEMA for prefix in prefixes], MAX_SCHEMA_BYTES)
    return {prefix: None if body is None else read_schema(body) for prefix, body in zip(prefixes, bodies, strict=True)}
