"""Columns of tables as the catalog has them, without PyIceberg, which the peers' environment lacks."""

from functools import cache

import pyarrow as pa

from sluice.contracts.load import load_registry
from sluice.contracts.model import PARTITION_KEYS
from sluice.lake.parquet import arrow_schema


@cache
def schema_of(table: str) -> pa.Schema:
    """Return the columns that files of a table have; ids of nested members are left out."""
    (found,) = [each for each in load_registry().tables() if each.name == table]
    columns = [*arrow_schema(found.columns), *(pa.field(key, pa.int32()) for key in PARTITION_KEYS)]
    return pa.schema(
        column.with_metadata({"PARQUET:field_id": str(number)}) for number, column in enumerate(columns, start=1)
    )
