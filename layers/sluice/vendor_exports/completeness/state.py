"""All observations of an environment as one Parquet object: merged in any order and repetition, it is the same."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from itertools import chain
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sluice.event_files.convert.batches import to_parquet
from sluice.vendor_exports.completeness.model import Observation
from sluice.vendor_exports.delivery.schemas import Schema
from sluice.vendor_exports.delivery.slots import Slot

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


class StateError(Exception):
    """An object holds no observations."""


def merge(*groups: Iterable[Observation]) -> list[Observation]:
    """Return the observation that holds of each slot, in order of slots."""
    holding: dict[Slot, Observation] = {}
    for observation in chain(*groups):
        other = holding.get(observation.slot)
        if other is None or _rank(other) < _rank(observation):
            holding[observation.slot] = observation
    return [holding[slot] for slot in sorted(holding, key=lambda slot: slot.hour)]


def _rank(seen: Observation) -> tuple[Any, ...]:
    """Order two observations of a slot: the later one, and of one moment always the same one."""
    return seen.observed_at, seen.files, seen.size, seen.tables, seen.schema is not None, seen.schema or ()


def encode(observations: Sequence[Observation]) -> bytes:
    """Write observations as Parquet, in the order they come."""
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


def decode(body: bytes) -> list[Observation]:
    """Read what `encode` wrote.

    Raises:
        StateError: The bytes are something else.
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
