"""The state of the histories as a Parquet file, read within bounded memory, whatever a hostile export left in it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sluice.lake.parquet import to_parquet
from sluice.vendor_exports.completeness.slot_history import Observation
from sluice.vendor_exports.delivery.master_schema import MAX_TABLES, Schema
from sluice.vendor_exports.delivery.model import Slot

MAX_TEXT_BYTES = 512 << 10
"""Bytes of the tables, or the schema, of one slot as JSON; usual are 10 kB."""
MAX_NAMES = 200_000
"""Different names of tables, and versions of them, in all; usual are some hundreds."""
MAX_SLOTS = 200_000

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
_TEXTS = ["tables", "schema"]
_ROWS, _FEW_ROWS = 1024, 4  # that are read at a time: few of a file that has texts beyond the limits
_MUCH = 64 << 20  # bytes of a column


class StateError(Exception):
    """An object holds no observations."""


@dataclass(frozen=True, slots=True)
class State:
    """Observations in their order; of the slots `beyond_limits`, tables and schema were dropped, or either."""

    observations: list[Observation]
    beyond_limits: tuple[Slot, ...] = ()


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
    """Read observations from Parquet. Raises StateError: the bytes hold something else."""
    return read_state(body).observations


def read_state(body: bytes) -> State:
    """Read observations from Parquet; what is beyond the limits is dropped: the row says less, and stays.

    Raises:
        StateError: The bytes hold something else.
    """
    try:
        return _within_names(list(_rows(body)))
    except (pa.ArrowException, KeyError, ValueError, TypeError) as error:
        raise StateError(
            f"these are no observations ({error}); delete the object and initialise the history again"
        ) from error


def _rows(body: bytes) -> Iterator[tuple[Observation, bool]]:
    """Yield observations, each with whether a text of it was too long to be read."""
    file = pq.ParquetFile(pa.BufferReader(body), read_dictionary=_TEXTS)
    if file.metadata.num_rows > MAX_SLOTS:
        raise ValueError(f"more than {MAX_SLOTS} hours")
    if missing := set(_COLUMNS.names) - set(file.schema_arrow.names):
        raise KeyError(*missing)
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    is_much = any(group.total_byte_size > _MUCH for group in groups)
    tables, schema = cache(_tables), cache(_schema)
    for batch in file.iter_batches(_FEW_ROWS if is_much else _ROWS, columns=_COLUMNS.names):
        columns = [_values(batch.column(name)) for name in _COLUMNS.names]
        for hour, at, files, size, names, entries in zip(*columns, strict=True):
            seen = (Slot(hour.replace(tzinfo=UTC)), at.replace(tzinfo=UTC), files, size)
            yield Observation(*seen, tables(names or "[]"), schema(entries or None)), "" in {names, entries}


def _values(column: pa.Array) -> list[Any]:
    """Return the values of a column; texts that are too long are empty, which no other is."""
    if not pa.types.is_dictionary(column.type):
        return list(column.to_pylist())
    lengths = column.dictionary.cast(pa.large_binary())
    texts = [text.as_py() if _size(lengths[at]) <= MAX_TEXT_BYTES else "" for at, text in enumerate(column.dictionary)]
    return [None if at is None else texts[at] for at in column.indices.to_pylist()]


def _size(text: pa.Scalar) -> int:
    return text.as_buffer().size if text.is_valid else 0


def _within_names(rows: Sequence[tuple[Observation, bool]]) -> State:
    """Drop tables and schemas that are too many, and those of the oldest slots, once all names together are."""
    names: set[object] = set()
    kept: list[Observation] = []
    beyond: list[Slot] = []
    for row, is_cut in reversed(rows):
        seen = row
        fits = max(len(seen.tables), len(seen.schema or ())) <= MAX_TABLES
        if fits:
            names.update(seen.tables, seen.schema or ())
        if not fits or len(names) > MAX_NAMES:
            seen = replace(seen, tables=(), schema=None)
        kept.append(seen)
        if is_cut or seen != row:
            beyond.append(seen.slot)
    return State(kept[::-1], tuple(beyond[::-1]))


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _text(value: Iterable[object]) -> str:
    return orjson.dumps(value).decode()


def _tables(text: str) -> tuple[str, ...]:
    return tuple(orjson.loads(text))


def _schema(text: str | None) -> Schema | None:
    return None if text is None else tuple((table, fingerprint) for table, fingerprint in orjson.loads(text))
