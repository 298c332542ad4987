"""Rows of a part, read from a Parquet file: apart from the other steps, which do without its library."""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from sluice.api_pull.mart.tables import Part
from sluice.mart.batches import MAX_ROWS


def read_rows(body: bytes, part: Part, columns: Sequence[str]) -> Iterator[dict[str, list[Any]]]:
    """Yield the rows of a part of a Parquet file, a batch at a time."""
    skipped, left = part.first, part.rows
    for batch in ParquetFile(pa.BufferReader(body)).iter_batches(MAX_ROWS, columns=list(columns)):
        rows = batch.slice(min(skipped, batch.num_rows), left)
        skipped -= batch.num_rows - len(batch.slice(min(skipped, batch.num_rows)))
        left -= rows.num_rows
        if rows.num_rows:
            yield rows.to_pydict()
        if not left:
            return
