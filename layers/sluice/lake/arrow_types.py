"""Columns of a contract as Arrow types: the same notation that the catalog uses, so the two cannot disagree."""

from collections.abc import Iterable

import pyarrow as pa

from sluice.contracts.hive import HiveType, parse_hive
from sluice.contracts.model import Column

_PRIMITIVES = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "int": pa.int32(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "timestamp": pa.timestamp("ms", tz="UTC"),
}


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
