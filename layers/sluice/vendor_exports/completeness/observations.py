"""Observations of slots: made from their folders, manifests and schemas, and kept as the state of the histories.

The state is one Parquet object per environment that several writers add to.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Any, TypeVar

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sluice.lake.object_store import ObjectStore, StoredObject
from sluice.lake.parquet import to_parquet
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.history_files import state_key
from sluice.vendor_exports.completeness.slot_history import Observation
from sluice.vendor_exports.delivery.manifest import safe_name
from sluice.vendor_exports.delivery.master_schema import MAX_SCHEMA_BYTES, Schema, read_schema
from sluice.vendor_exports.delivery.model import MANIFEST, MASTER_SCHEMA, Slot, table_of

# Tables and schemas hardly change from hour to hour: as JSON text, a dictionary holds each once.
_COLUMNS = pa.schema(
    [
        ("slot", pa.timestamp("s")),
        ("observed_at", pa.timestamp("us")),
        ("files", pa.int64()),
        ("size", pa.int64()),
        ("tables", pa.string()),
        ("schema", pa.string()),
    ]
)


ATTEMPTS = 20
"""Attempts of a write while other writers are faster."""


class StateError(Exception):
    """An object holds no observations."""


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


def write_observations(observations: Sequence[Observation]) -> bytes:
    """Return observations as Parquet, in their order."""
    text = cache(_text)
    columns = {
        "slot": [_naive(seen.slot.hour) for seen in observations],
        "observed_at": [_naive(seen.observed_at) for seen in observations],
        "files": [seen.files for seen in observations],
        "size": [seen.size for seen in observations],
        "tables": [text(seen.tables) for seen in observations],
        "schema": [None if seen.schema is None else text(seen.schema) for seen in observations],
    }
    return to_parquet(pa.table(columns, schema=_COLUMNS))


def read_observations(body: bytes) -> list[Observation]:
    """Read observations from Parquet.

    Raises:
        StateError: The bytes hold something else.
    """
    try:
        columns = [column.to_pylist() for column in pq.read_table(pa.BufferReader(body)).select(_COLUMNS.names)]
        tables, schema = cache(_tables), cache(_schema)
        return [
            Observation(
                Slot(hour.replace(tzinfo=UTC)), at.replace(tzinfo=UTC), files, size, tables(names), schema(entries)
            )
            for hour, at, files, size, names, entries in zip(*columns, strict=True)
        ]
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise StateError(
            f"these are no observations ({error}); delete the object and initialise the history again"
        ) from error


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _text(value: tuple[str, ...] | Schema) -> str:
    return orjson.dumps(value).decode()


def _tables(text: str) -> tuple[str, ...]:
    return tuple(orjson.loads(text))


def _schema(text: str | None) -> Schema | None:
    return None if text is None else tuple((table, fingerprint) for table, fingerprint in orjson.loads(text))


def observations_of(stored: StoredObject | None) -> list[Observation]:
    """Return the observations of a state, in order of slots; none where there is no state yet."""
    return [] if stored is None else read_observations(stored.body)


def record(lake: ObjectStore, environment: Environment, observations: Sequence[Observation]) -> None:
    """Merge observations into the state.

    Raises:
        HistoryBusyError: Others were faster at every attempt.
    """
    if not observations:
        return
    key = state_key(environment)
    for _ in range(ATTEMPTS):
        stored = lake.find(key)
        body = write_observations(merge(observations_of(stored), observations))
        if stored is not None and stored.body == body:
            return
        if lake.replace(key, body, None if stored is None else stored.etag):
            return
    raise busy_error(key)


def busy_error(key: str) -> HistoryBusyError:
    """Return the error for an object that others kept writing."""
    return HistoryBusyError(f"{key} was written by others {ATTEMPTS} times; run the update again")


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
    bodies = lake.find_all([prefix + name for prefix in prefixes], max_bytes)
    return {prefix: None if body is None else read(body) for prefix, body in zip(prefixes, bodies, strict=True)}


def _delivered(files: Files, listed: frozenset[str] | None) -> Files:
    """Return the files of the slot's delivery; files that an earlier job left in the folder do not count."""
    # Some clients leave an empty object that stands for the folder.
    return {
        name: size for name, size in files.items() if name not in {"", MANIFEST} and (listed is None or name in listed)
    }


def _tables_in(files: Files) -> tuple[str, ...]:
    return tuple(sorted({table for name in files if (table := table_of(name))}))


def _names_in(manifest: bytes) -> frozenset[str] | None:
    """Return the names of a manifest's files; None if it is not a list of files, or empty."""
    try:
        names = frozenset(safe_name(entry["key"]) or "" for entry in orjson.loads(manifest))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return names - {""} or None
