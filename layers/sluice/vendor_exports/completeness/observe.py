"""Observation of slots: list their folders, and read manifests and schemas."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import orjson

from sluice.lake.object_store import ObjectStore
from sluice.vendor_exports.client.environment import Environment
from sluice.vendor_exports.completeness.slot_history import Observation
from sluice.vendor_exports.delivery.manifest import safe_name
from sluice.vendor_exports.delivery.master_schema import MAX_SCHEMA_BYTES, read_schema
from sluice.vendor_exports.delivery.slots import MANIFEST, MASTER_SCHEMA, Slot, table_of

MAX_MANIFEST_BYTES = 4 << 20
"""A larger manifest is not read; then every file in its folder counts."""

T = TypeVar("T")
Files = Mapping[str, int]
"""Bytes of each file of a folder, by its name."""


def observe(
    lake: ObjectStore, environment: Environment, slots: Sequence[Slot], observed_at: datetime
) -> list[Observation]:
    """Return one observation per slot, in the order of `slots`; a slot without any file has one too."""
    folders = _list_folders(lake, [slot.folder(environment) for slot in slots])
    manifests = _read(lake, folders, MANIFEST, MAX_MANIFEST_BYTES, _names_in)
    delivered = {prefix: _delivered(files, manifests.get(prefix)) for prefix, files in folders.items()}
    schemas = _read(lake, delivered, MASTER_SCHEMA, MAX_SCHEMA_BYTES, read_schema)
    return [
        Observation(slot, observed_at, len(files), sum(files.values()), _tables(files), schemas.get(prefix))
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
    bodies = lake.find_all([prefix + name for prefix in prefixes], max_bytes)
    return {prefix: None if body is None else read(body) for prefix, body in zip(prefixes, bodies, strict=True)}


def _delivered(files: Files, listed: frozenset[str] | None) -> Files:
    """Return the files of the slot's delivery; files that an earlier job left in the folder do not count."""
    # Some clients leave an empty object that stands for the folder.
    return {
        name: size for name, size in files.items() if name not in {"", MANIFEST} and (listed is None or name in listed)
    }


def _tables(files: Files) -> tuple[str, ...]:
    return tuple(sorted({table for name in files if (table := table_of(name))}))


def _names_in(manifest: bytes) -> frozenset[str] | None:
    """Return the names of a manifest's files; None if it is not a list of files, or empty."""
    try:
        names = frozenset(safe_name(entry["key"]) or "" for entry in orjson.loads(manifest))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return names - {""} or None
