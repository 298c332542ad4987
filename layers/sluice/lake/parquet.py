"""Arrow types of a table's columns, from the same Hive notation that the catalog uses, and Parquet files."""

import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sluice.contracts.model import PARTITION_KEYS, Column, HiveType, parse_hive

TABLE_ID = "sluice.table"
"""Of a schema's metadata: the id of the catalog's table that the schema is of."""
_PRIMITIVES = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("ms", tz="UTC"),
    "date": pa.date32(),
}

_DICTIONARY_BYTES = 16 << 10  # a column whose values fill more is written plainly: a dictionary would only cost time
_SHORT_TEXTS = {"date_time", "_rescued", "_source_key"}  # statistics of other texts would hold their extremes whole


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """Return the Arrow schema of a table's columns."""
    return pa.schema([pa.field(column.name, arrow_type(parse_hive(column.type))) for column in columns])


def arrow_type(type_: HiveType) -> pa.DataType:
    """Return the Arrow type that holds what a Hive type says."""
    if type_.kind == "array":
        return pa.list_(arrow_type(type_.element))
    if type_.kind == "struct":
        return pa.struct([pa.field(name, arrow_type(member)) for name, member in type_.fields])
    return _PRIMITIVES[type_.kind]


def rows_of(table: pa.Table, hour: str, schema: pa.Schema) -> pa.Table:
    """Return the rows of an hour (``YYYY-MM-DDTHH``, UTC) as a table of the catalog has them: with year to hour.

    Raises:
        LookupError: See `as_columns`.
    """
    return in_hour(as_columns(table, schema), hour)


def in_hour(table: pa.Table, hour: str) -> pa.Table:
    """Return rows that have all columns of their table with those of an hour: year to hour."""
    columns = dict(zip(table.schema.names, table.columns, strict=True))
    for key, part in zip(PARTITION_KEYS, (hour[:4], hour[5:7], hour[8:10], hour[11:13]), strict=True):
        columns[key] = pa.repeat(pa.scalar(int(part), pa.int32()), len(table))
    return pa.Table.from_arrays(list(columns.values()), schema=table.schema)


def as_columns(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows with the columns that the catalog's table has: the table's own, else null.

    Raises:
        LookupError: The catalog's table lacks a column, or a member of one.
    """
    if lacking := set(_names(table.schema)) - set(_names(schema)):
        raise LookupError(f"the catalog's table has no column {', '.join(sorted(lacking))}: deploy the stage")
    there = frozenset(table.column_names)
    columns = [_column(table, field) if field.name in there else pa.nulls(len(table), field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _names(fields: Iterable[pa.Field], parent: str = "") -> Iterator[str]:
    """Yield the names of fields and of members in them: a cast drops members that the other type lacks."""
    for field in fields:
        name, type_ = f"{parent}{field.name}", field.type
        yield name
        while pa.types.is_list(type_):
            type_ = type_.value_type
        if pa.types.is_struct(type_):
            yield from _names(type_, f"{name}.")


def _column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    column = table[field.name]
    return column if column.type == field.type else column.cast(field.type)


def table_id_of(schema: pa.Schema) -> str:
    """Return the id of the catalog's table that a schema is of; "" where that is unknown."""
    metadata: Mapping[bytes, bytes] = schema.metadata or {}
    return metadata.get(TABLE_ID.encode(), b"").decode()


def to_parquet(table: pa.Table) -> bytes:
    """Write a table as one Parquet file."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **_options(table.schema))
    return buffer.getvalue()


class ParquetParts:
    """A Parquet file that is written part by part: of rows once written, only the compressed form is held."""

    def __init__(self, schema: pa.Schema) -> None:
        self._buffer = io.BytesIO()
        self._writer = pq.ParquetWriter(self._buffer, schema, **_options(schema))

    def add(self, rows: pa.Table) -> None:
        """Write rows."""
        self._writer.write_table(rows)

    def finish(self) -> bytes:
        """Return the whole file."""
        self._writer.close()
        return self._buffer.getvalue()


def _options(schema: pa.Schema) -> dict[str, Any]:
    return {
        "compression": "zstd",
        "compression_level": 1,
        "dictionary_pagesize_limit": _DICTIONARY_BYTES,
        "write_statistics": [field.name for field in schema if has_statistics(field)],
    }


def has_statistics(field: pa.Field) -> bool:
    """Return whether readers get statistics of a column, by which they pass over files."""
    return pa.types.is_primitive(field.type) or field.name in _SHORT_TEXTS
