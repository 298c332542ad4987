"""Conversion of batches: lines of JSON to Parquet, one file per hour, with a receipt for each batch."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as arrow_json

from sluice.contracts.model import DIRTY_EVENTS, Contract, ContractError, HiveType, Registry, event_type
from sluice.event_files.convert.dirty_rows import DirtyRows
from sluice.event_files.convert.model import (
    Batch,
    BatchGroup,
    Receipt,
    left_out_key,
    profile_part_key,
    receipts_key,
)
from sluice.event_files.convert.outdated import rescued_again
from sluice.event_files.convert.profiling import profile_of_dirty, profile_of_rows
from sluice.event_files.ledger.model import LeftOut
from sluice.lake.object_store import (
    MissingObjectError,
    ObjectStore,
    ObjectStoreError,
    UnreadableObjectError,
    parquet_key,
)
from sluice.lake.parquet import arrow_type, as_columns, in_hour, table_id_of, to_parquet

PARTITION_COLUMN = "date_time"
_BLOCK_BYTES = 4 << 20  # the reader is fastest with blocks of so many bytes, and takes no line longer than one
_HOUR = len("2026-01-31T23")
_REASON = 1000  # characters of a reason that are kept
_UNREAD = (MissingObjectError, UnreadableObjectError, ContractError, ValueError, LookupError, TypeError, AttributeError)


class BatchError(Exception):
    """A batch was not converted, so its group has no receipts; the message names the batch and the cause."""


@dataclass(frozen=True, slots=True)
class _File:
    """The rows of one hour as Parquet; of one day, where they are dirty records."""

    key: str
    hour: str
    rows: int
    body: bytes


@dataclass(frozen=True, slots=True)
class _Read:
    """A batch as its files, which are not written yet, and its part of the profiling log."""

    batch: Batch
    files: tuple[_File, ...]
    profile: pa.Table
    table_id: str


@dataclass(frozen=True, slots=True)
class Converted:
    """Tells what became of a group: receipts of its batches, or chunks that cannot be read; neither if it had some."""

    receipts: tuple[Receipt, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class Converter:
    """Converts groups of batches; the files of each attempt have names of their own, and one attempt leaves receipts.

    Where attempts overlap, those that come late leave nothing but files that no table will ever have.
    """

    def __init__(
        self,
        registry: Registry,
        files: ObjectStore,
        schema_of: Callable[[str], pa.Schema],
        new_token: Callable[[], str],
    ) -> None:
        """Bind the lake; `schema_of` gives a table's columns with their ids, `new_token` tells attempts apart."""
        self._registry = registry
        self._files = files
        self._schema_of = schema_of
        self._new_token = new_token

    def convert(self, group: BatchGroup) -> Converted:
        """Convert the batches of a group, unless they have receipts.

        Where a chunk is gone, cut short, not given out or damaged, nothing is converted: the group notes the chunk.

        Raises:
            BatchError: A batch cannot be converted, though each of its chunks can; nothing of the group was written.
            Exception: Whatever else ended it; the group notes all its chunks, should no further attempt do better.
        """
        try:
            return self._convert(group)
        except Exception as error:
            reason = f"group {group.group_id} of run {group.run_id} failed: {type(error).__name__}: {error}"
            with suppress(ObjectStoreError):  # it would hide the cause; without the note, that is in the log only
                self._note(group, [LeftOut(each, reason[:_REASON], failures=1) for each in group.chunk_ids])
            raise

    def _convert(self, group: BatchGroup) -> Converted:
        key = receipts_key(group.run_id, group.group_id)
        if self._files.exists(key):
            return Converted()
        read, unread = list[_Read](), dict[str, LeftOut]()
        for batch in group.batches:
            try:
                read.append(self._read(batch))
            except _UNREAD as error:
                unread |= self._unread_of(batch, error)
        if unread:
            left_out = tuple(unread.values())
            self._note(group, left_out)
            return Converted(left_out=left_out)
        self._write(group, read)
        receipts = tuple(map(_receipt, read))
        body = b"".join(orjson.dumps(receipt, option=orjson.OPT_APPEND_NEWLINE) for receipt in receipts)
        return Converted(receipts if self._files.replace(key, body, etag=None) else ())

    def _note(self, group: BatchGroup, left_out: Sequence[LeftOut]) -> None:
        self._files.write(left_out_key(group.run_id, group.group_id), orjson.dumps(left_out))

    def _write(self, group: BatchGroup, read: Sequence[_Read]) -> None:
        self._files.write_all({file.key: file.body for each in read for file in each.files})
        profile = pa.concat_tables([each.profile for each in read])
        self._files.write(profile_part_key(group.run_id, group.group_id), to_parquet(profile))

    def _read(self, batch: Batch) -> _Read:
        name = f"{batch.run_id}-{batch.batch_id}-{self._new_token()}"
        if batch.table is None:
            return self._read_dirty(batch, name)
        contract = self._registry.contract(batch.table)
        rows = self._rows(batch, contract)
        schema = self._schema_of(batch.table)
        files = tuple(
            _File(parquet_key(batch.table, hour, name), hour, part.num_rows, to_parquet(in_hour(part, hour)))
            for hour, part in by_hour(as_columns(rows, schema))
        )
        return _Read(batch, files, profile_of_rows(batch, contract, rows), table_id_of(schema))

    def _read_dirty(self, batch: Batch, name: str) -> _Read:
        schema = self._schema_of(DIRTY_EVENTS.name)
        rows = DirtyRows(schema, self._registry.families)
        profile = profile_of_dirty(batch, rows.watch(batch.spans, self._files.read_ranges(batch.spans)))
        files = tuple(
            _File(parquet_key(DIRTY_EVENTS.name, day, name), day, 0, body) for day, body in rows.files().items()
        )
        return _Read(batch, files, profile, table_id_of(schema))

    def _rows(self, batch: Batch, contract: Contract) -> pa.Table:
        lines = self._files.read_ranges(batch.spans)
        if {span.columns for span in batch.spans} != {contract.columns_id}:
            lines = rescued_again(lines, contract)
        rows = read_rows(contract, lines)
        if rows.num_rows != batch.rows:
            raise ValueError(f"{batch.rows} rows were planned, {rows.num_rows} are there")
        if untimed := rows[PARTITION_COLUMN].null_count:
            raise ValueError(
                f"{untimed} of {rows.num_rows} rows have no time; their lines are not events as "
                "validate_files writes them: compare the versions of the deployed functions"
            )
        return rows

    def _unread_of(self, batch: Batch, error: Exception) -> dict[str, LeftOut]:
        """Return the chunks of a batch that cannot be read. Raises BatchError if each of them can."""
        found: dict[str, LeftOut] = {}
        for span in batch.spans:
            if span.chunk_id not in found:
                try:
                    self._read(replace(batch, spans=(span,)))
                except (MissingObjectError, UnreadableObjectError) as lost:
                    found[span.chunk_id] = LeftOut(span.chunk_id, str(lost), isinstance(lost, MissingObjectError))
                except ContractError as unknown:
                    reason = f"it waits for its table, or for `sluice ingest --again`: {unknown}"
                    found[span.chunk_id] = LeftOut(span.chunk_id, reason)
                except _UNREAD as damage:
                    reason = f"{span.key} is damaged, {batch.table or 'dirty records'}: {damage}"
                    found[span.chunk_id] = LeftOut(span.chunk_id, reason)
        if not found:
            raise BatchError(f"{batch.batch_id} of run {batch.run_id}: {error}") from error
        return found


def read_rows(contract: Contract, lines: bytes) -> pa.Table:
    """Read events as rows of the contract's columns; nothing is inferred, other members are ignored."""
    columns = contract.table_columns
    type_ = event_type(columns)
    try:
        events = _read_events(lines, type_, _BLOCK_BYTES)
    except pa.ArrowInvalid:
        events = _read_odd_events(lines, type_)
    return pa.table({column.name: _column(events, column.path) for column in columns})


def _read_odd_events(lines: bytes, type_: HiveType) -> pa.Table:
    """Read events with a line that is longer than a block, or with repeated members."""
    try:
        return _read_events(lines, type_, len(lines) + 1)
    except pa.ArrowInvalid:
        narrowed = _without_duplicates(lines, type_)
        return _read_events(narrowed, type_, len(narrowed) + 1)


def _read_events(lines: bytes, type_: HiveType, block_size: int) -> pa.Table:
    return arrow_json.read_json(
        pa.BufferReader(lines),
        read_options=arrow_json.ReadOptions(use_threads=False, block_size=block_size),
        parse_options=arrow_json.ParseOptions(
            explicit_schema=pa.schema(arrow_type(type_)), unexpected_field_behavior="ignore"
        ),
    )


def _without_duplicates(lines: bytes, type_: HiveType) -> bytes:
    """Write the lines again without repeated members: the last of each name holds, as it did at validation."""
    events = map(_as_written, lines.removesuffix(b"\n").split(b"\n"))
    return b"\n".join(orjson.dumps(_narrowed(event, type_)) for event in events)


def _as_written(line: bytes) -> Any:  # noqa: ANN401
    """Parse a line with its numbers as they stand: -0 would lose its sign, and with it be another value."""
    try:
        return json.loads(line, parse_int=orjson.Fragment, parse_float=orjson.Fragment)
    except RecursionError:  # nested deeper than that parser goes
        return orjson.loads(line)


def _narrowed(value: Any, type_: HiveType) -> Any:  # noqa: ANN401
    """Copy the members that are read; others may be nested deeper than can be written."""
    if value is None or not type_.fields:
        return value
    if type_.kind == "array":
        return [_narrowed(item, type_.element) for item in value]
    return {name: _narrowed(value[name], member) for name, member in type_.fields if name in value}


def _column(events: pa.Table, path: tuple[str, ...]) -> pa.ChunkedArray:
    member, *within = path
    return pc.struct_field(events[member], within) if within else events[member]


def by_hour(rows: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """Yield the rows of each hour (``YYYY-MM-DDTHH``, UTC), in the order they came."""
    hours = pc.utf8_slice_codeunits(rows[PARTITION_COLUMN], 0, _HOUR).combine_chunks()
    if len(pc.unique(hours)) == 1:
        yield hours[0].as_py(), rows
        return
    order = pc.sort_indices(hours)
    ordered, runs = rows.take(order), pc.run_end_encode(hours.take(order))
    start = 0
    for end, hour in zip(runs.run_ends.to_pylist(), runs.values.to_pylist(), strict=True):
        yield hour, ordered.slice(start, end - start)
        start = end


def _receipt(read: _Read) -> Receipt:
    batch, files = read.batch, read.files
    return Receipt(
        batch.batch_id,
        batch.table,
        rows=sum(file.rows for file in files),
        files=tuple(file.key for file in files),
        parquet_bytes=sum(len(file.body) for file in files),
        newest_hour=max((file.hour for file in files if file.hour <= batch.planned_at[:_HOUR]), default=""),
        table_id=read.table_id,
    )
