"""Rows in batches that one transaction of Aurora DSQL may write."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sluice.mart.model import RowError

MAX_ROWS = 3_000
MAX_BYTES = 10 * 1024 * 1024
MAX_ROW_BYTES = 2 * 1024 * 1024
MAX_TEXT_BYTES = 1024 * 1024
FULL_BYTES = MAX_BYTES * 3 // 4  # the rest is for what DSQL counts besides values, such as entries of indexes
_HEAD, _FIXED = 4, 8  # bytes of a length, of a number or a time

Columns = Mapping[str, Sequence[Any]]
"""Values by the names of their columns, all of one length: what a reader of Parquet gives."""


def cut(columns: Columns, key: Sequence[str]) -> Iterator[dict[str, list[Any]]]:
    """Yield the rows in order, in batches within DSQL's limits of rows and bytes.

    Raises:
        RowError: A row is too large for DSQL, or has a text that PostgreSQL cannot hold; the values of the columns
            `key` say which.
    """
    sizes = [_HEAD] * len(next(iter(columns.values()), ()))
    for name, values in columns.items():
        for place, value in enumerate(values):
            if isinstance(value, str):
                size = len(value) if value.isascii() else len(value.encode())
                if size > MAX_TEXT_BYTES:
                    raise _refusal(columns, key, place, f"{name} has {size:,} bytes; it may have {MAX_TEXT_BYTES:,}")
                if "\0" in value:
                    raise _refusal(columns, key, place, f"{name} has a NUL character, which PostgreSQL cannot hold")
                sizes[place] += _HEAD + size
            else:
                sizes[place] += _HEAD + _FIXED
    start = held = 0
    for place, size in enumerate(sizes):
        if size > MAX_ROW_BYTES:
            raise _refusal(columns, key, place, f"it has {size:,} bytes; it may have {MAX_ROW_BYTES:,}")
        if place - start == MAX_ROWS or held + size > FULL_BYTES:
            yield _rows(columns, start, place)
            start, held = place, 0
        held += size
    if sizes:
        yield _rows(columns, start, len(sizes))


def _rows(columns: Columns, start: int, end: int) -> dict[str, list[Any]]:
    return {name: list(values[start:end]) for name, values in columns.items()}


def _refusal(columns: Columns, key: Sequence[str], place: int, fault: str) -> RowError:
    row = ", ".join(f"{name} {columns[name][place]}" for name in key)
    return RowError(f"the mart cannot hold the row with {row}: {fault}")
