"""Rewrites: many small files of an hour become one, its rows in the order of their time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from sluice.lake.object_store import ObjectStore, parquet_key
from sluice.lake.parquet import rows_of, to_parquet
from sluice.tables.planning import DataFile, Group, Rewrite

_ORDER = ("date_time", "_source_key", "_source_offset")  # of rows: by time, those of one time as they were delivered


class LostRowsError(Exception):
    """Files have other rows than their table says; nothing was replaced."""


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A new file (key), and those whose rows it has."""

    key: str
    files: tuple[str, ...]


class Tables(Protocol):
    """Tables whose files are replaced."""

    def files(self, table: str) -> list[DataFile]:
        """Return the files of a table now."""

    def replace(self, table: str, run_id: str, attempt: str, rewritten: Sequence[Rewritten]) -> int:
        """Put new files in the place of others in one step; return for how many. Raises CommitError."""


class Compactor:
    """Rewrites groups of files; no attempt ever writes a file that another one wrote."""

    def __init__(
        self,
        files: ObjectStore,
        tables: Tables,
        schema_of: Callable[[str], pa.Schema],
        *,
        max_bytes: int,
        unique: str = "",
    ) -> None:
        """Bind the lake; what is rewritten at a time has `max_bytes` unpacked at most.

        Of rows that are equal in the column `unique`, the first stays; "": all do.
        """
        self._files = files
        self._tables = tables
        self._schema_of = schema_of
        self._max_bytes = max_bytes
        self._unique = unique

    def compact(self, group: Group, attempt: str) -> int:
        """Rewrite the files of a group that its table still has; return how many new files the table has.

        Raises:
            LostRowsError: Files have other rows than planned.
            CommitError: The table refused the new files time and again.
        """
        there = {each.key for each in self._tables.files(group.table)}
        schema = self._schema_of(group.table)
        rewritten = [
            each
            for number, rewrite in enumerate(group.rewrites)
            if there.issuperset(rewrite.files)
            for each in self._rewrite(group, rewrite, schema, f"{attempt}-{number:03}")
        ]
        return self._tables.replace(group.table, group.run_id, attempt, rewritten) if rewritten else 0

    def _rewrite(self, group: Group, rewrite: Rewrite, schema: pa.Schema, name: str) -> Iterator[Rewritten]:
        """Yield what became of a rewrite: one file, or several where its rows are too many; none if each is alone."""
        bodies = dict(zip(rewrite.files, self._files.read_all(rewrite.files), strict=True))
        if (rows := sum(pq.read_metadata(pa.BufferReader(body)).num_rows for body in bodies.values())) != rewrite.rows:
            raise LostRowsError(f"{group.table}, hour {rewrite.hour}: {rewrite.rows} rows planned, {rows} are there")
        for part, tables in enumerate(self._parts(bodies, rewrite, schema)):
            if len(tables) > 1:
                key = parquet_key(group.table, rewrite.hour, f"{group.run_id}-{group.group_id}-{name}-{part:03}")
                self._files.write(key, to_parquet(self._arranged(pa.concat_tables(tables.values()))))
                yield Rewritten(key, tuple(tables))

    def _parts(self, bodies: dict[str, bytes], rewrite: Rewrite, schema: pa.Schema) -> Iterator[dict[str, pa.Table]]:
        """Yield the rows of files, of as many at a time as may be unpacked: what a file says of itself is encoded."""
        tables, size = dict[str, pa.Table](), 0
        for key in rewrite.files:
            table = rows_of(pq.read_table(pa.BufferReader(bodies.pop(key))), rewrite.hour, schema)
            if tables and size + table.nbytes > self._max_bytes:
                yield tables
                tables, size = {}, 0
            tables[key] = table
            size += table.nbytes
        yield tables

    def _arranged(self, rows: pa.Table) -> pa.Table:
        """Return rows in order, without those that repeat another."""
        order = [(name, "ascending") for name in _ORDER if name in rows.column_names]
        ordered = rows.sort_by(order) if order else rows
        if self._unique not in rows.column_names:
            return ordered
        seen = pa.table({"value": ordered[self._unique], "at": pa.array(range(len(ordered)), pa.int64())})
        first = seen.filter(seen["value"].is_valid()).group_by("value").aggregate([("at", "min")])["at_min"]
        kept = pa.chunked_array([*first.chunks, *seen.filter(seen["value"].is_null())["at"].chunks], pa.int64())
        return ordered.take(kept.sort())
