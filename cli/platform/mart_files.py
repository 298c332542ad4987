"""Rows of the mart's views as files: apart from the commands, since its libraries are slow to import."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from psycopg.sql import SQL, Identifier
from pyarrow.csv import CSVWriter
from pyarrow.parquet import ParquetWriter

from sluice.mart.connection_postgres import Connection
from sluice.mart.model import SCHEMA

_PIECE = 50_000  # rows that are in memory at a time
_TYPES = {"int8": pa.int64(), "int4": pa.int32(), "date": pa.date32(), "timestamp": pa.timestamp("us")}


def write_views(connection: Connection, to: Path, file_format: str) -> dict[str, int]:
    """Write a file per view, in ``csv`` or ``parquet``; return the number of rows of each."""
    views = connection.execute(
        "SELECT table_name::text FROM information_schema.views WHERE table_schema = %s", [SCHEMA]
    )
    written = {}
    for (view,) in sorted(views.fetchall()):
        path = to / f"{view}.{file_format}"
        unfinished = path.with_suffix(".unfinished")
        rows = SQL("SELECT * FROM {}").format(Identifier(view))
        columns = connection.execute(rows + SQL(" LIMIT 0")).description or ()
        kinds = {column.name: _TYPES.get(_type_name(connection, column.type_code), pa.string()) for column in columns}
        written[path.name] = _write(unfinished, kinds, connection.cursor().stream(rows), file_format)
        unfinished.replace(path)
    return written


def _type_name(connection: Connection, oid: int) -> str:
    known = connection.adapters.types.get(oid)
    return known.name if known else "text"


def _write(path: Path, kinds: dict[str, pa.DataType], rows: Iterator[Sequence[Any]], file_format: str) -> int:
    schema, count = pa.schema(list(kinds.items())), 0
    writer = CSVWriter if file_format == "csv" else ParquetWriter
    with writer(str(path), schema) as file:
        while piece := list(islice(rows, _PIECE)):
            columns = [list(column) for column in zip(*piece, strict=True)]
            file.write_table(pa.table(columns, schema=schema))
            count += len(piece)
    return count
