"""Contracts of tables, and the types of their columns: the values that drive every other part of Sluice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sluice.contracts.family import Family, Kind, Place

PARTITION_KEYS = ("year", "month", "day", "hour")
"""Partition columns of every table, integers without padding, UTC."""


class ContractError(Exception):
    """A contract cannot be used; the message names the file and the fault."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: Name in the catalog and in the Parquet files.
        path: Members that lead from the root of a clean line to the value; empty for a column of no event.
        type: Type in Hive notation, e.g. ``array<struct<score:double,sentence:string>>``.
        doc: What the column holds, shown in the catalog.
    """

    name: str
    path: tuple[str, ...]
    type: str
    doc: str


TECHNICAL_COLUMNS = (
    Column(
        name="_rescued",
        path=("_rescued",),
        type="string",
        doc="What no column holds, as one JSON object: value by JSON pointer; null when there is nothing.",
    ),
    Column("_source_key", ("_source_key",), "string", "Key of the object the event was delivered in."),
    Column("_source_offset", ("_source_offset",), "bigint", "Byte offset of the event in it, after decompression."),
)
"""Columns that follow the contract's own: they lead from any row back to its bytes."""


CORRECTION_RULES = frozenset({"integer_to_string", "list_of_string", "json_text", "media_uri", "null_media_of_add_tag"})
"""Every rule a contract may ask for."""


@dataclass(frozen=True, slots=True)
class Correction:
    """One change made to a valid event before it becomes a row.

    Attributes:
        rule: Name of the rule, one of `CORRECTION_RULES`.
        member: Path of the member the rule works on, from the event's root.
    """

    rule: str
    member: tuple[str, ...]


HOURS = tuple(Column(key, (), "int", "Of the event's time, UTC.") for key in PARTITION_KEYS)
"""Partition of the tables of events."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the catalog, whether events or the pipeline itself fill it.

    Its files are in a folder per value of the columns of its `partition`, which follow its own `columns` unless they
    are among them. Where `kept_days` is given, its partitions are of days, and go when they are older.
    """

    name: str
    columns: tuple[Column, ...]
    doc: str
    partition: tuple[Column, ...] = HOURS
    kept_days: int = 0


@dataclass(frozen=True, slots=True)
class Contract:
    """Contract of one table of events.

    Attributes:
        table: Name of the table, e.g. ``MICROONE_EVENT``.
        family: The family of producers the events come from.
        kind: ``PRED`` for predictions, ``EVENT`` for evaluations and all else.
        services: Names the service goes by in events; the first is its own, the rest are aliases.
        version: Grows with every change of the contract.
        doc: What a row of the table is.
        schema: JSON Schema 2020-12 without any reference: a validator needs nothing else.
        columns: The event's columns, in order.
        corrections: Changes made to a valid event, in order.
    """

    table: str
    family: Family
    kind: Kind
    services: tuple[str, ...]
    version: int
    doc: str
    schema: dict[str, Any]
    columns: tuple[Column, ...]
    corrections: tuple[Correction, ...]

    @property
    def table_columns(self) -> tuple[Column, ...]:
        """Return every column of the table: the event's, then the technical ones."""
        return self.columns + TECHNICAL_COLUMNS

    @property
    def columns_id(self) -> str:
        """Return what is another one wherever columns read other members, or read them as other types."""
        read = sorted((column.path, column.type) for column in self.columns)
        return hashlib.md5(repr(read).encode(), usedforsecurity=False).hexdigest()[:8]

    @property
    def places(self) -> tuple[Place, ...]:
        """Return where events name the service."""
        return self.family.service[self.kind]

    @property
    def body(self) -> tuple[str, ...]:
        """Return the path of the object that holds what is the table's own."""
        return self.family.body(self.kind)


class Registry:
    """Families and contracts, found by the members of an event that identify it."""

    def __init__(self, families: tuple[Family, ...], contracts: tuple[Contract, ...]) -> None:
        """Index families and contracts; raise ContractError where two claim the same events or name."""
        self.families = families
        self.contracts = contracts
        self._by_source: dict[str, Family] = {}
        self._by_service: dict[tuple[str, str, str], Contract] = {}
        self._by_table: dict[str, Contract] = {}
        for family in families:
            self._claim(self._by_source, family.source.lower(), family, family.name)
        for contract in contracts:
            self._claim(self._by_table, contract.table, contract, contract.table)
            for service in contract.services:
                self._claim(self._by_service, (contract.family.name, contract.kind, service), contract, contract.table)

    @staticmethod
    def _claim(index: dict[Any, Any], key: object, value: object, name: str) -> None:
        if index.setdefault(key, value) is not value:
            raise ContractError(f"{name}: {key!r} is claimed twice; it must belong to one contract or family only")

    def family_of(self, source: str) -> Family | None:
        """Return the family whose events carry `source`, compared without case."""
        return self._by_source.get(source.lower())

    def contract_for(self, family: str, kind: str, service: str) -> Contract | None:
        """Return the contract of a family's events of this kind and service (own name or alias)."""
        return self._by_service.get((family, kind, service))

    def contract(self, table: str) -> Contract:
        """Return the contract of a table; raise ContractError when there is none."""
        try:
            return self._by_table[table]
        except KeyError:
            known = ", ".join(sorted(self._by_table))
            raise ContractError(f"there is no contract for table {table!r}; there are: {known}") from None

    def tables(self) -> tuple[Table, ...]:
        """Return every table of the catalog: one per contract, then those the pipeline fills."""
        events = tuple(Table(each.table, each.table_columns, each.doc) for each in self.contracts)
        return events + SYSTEM_TABLES


PROFILING_LOG = Table(
    name="PROFILING_LOG",
    columns=(
        Column("workflow_run_id", (), "string", "Run that converted or reported the event."),
        Column("timestamp", (), "timestamp", "When the record was written, UTC."),
        Column("event_id", (), "string", "The event's own id, null where it has none."),
        Column("passed", (), "boolean", "True for a clean event, false for a dirty one."),
        Column("event_filename", (), "string", "Key of the object the event was delivered in."),
        Column("service_name", (), "string", "Service in capitals, null where it is unknown."),
        Column("service_type", (), "string", "EVENT or PREDICTION, null where it is unknown."),
        Column("errors", (), "string", "Why the event is dirty, as JSON; {} when it passed."),
    ),
    doc="One record per event of a run: what became of it and why.",
)

DIRTY_EVENTS = Table(
    name="DIRTY_EVENTS",
    columns=(
        Column("id", (), "string", "Of the record: its chunk, and its place in it."),
        Column("chunk_id", (), "string", "Chunk it was committed with."),
        Column("first_seen", (), "timestamp", "When its file was validated, UTC."),
        Column("reason", (), "string", "Reason code, such as RULE_BROKEN or INVALID_JSON."),
        Column("rule", (), "string", "The first rule that it breaks; null where it breaks none."),
        Column("pointer", (), "string", "JSON pointer to the member that breaks it."),
        Column("errors", (), "array<struct<rule:string,pointer:string,message:string>>", "All rules it breaks."),
        Column("table_name", (), "string", "Table it would have been a row of; null where that is unknown."),
        Column("contract_version", (), "bigint", "Version of that table's contract it was checked by."),
        Column("family", (), "string", "Family of its producer, if it is known."),
        Column("kind", (), "string", "EVENT or PRED, if it is known."),
        Column("service", (), "string", "Service that it names."),
        Column("producer_version", (), "string", "Version that its producer gives itself, where the family has one."),
        Column("event_id", (), "string", "Its own id, if it has one."),
        Column("source_bucket", (), "string", "Bucket of the object it was delivered in."),
        Column("source_key", (), "string", "Key of that object."),
        Column("source_etag", (), "string", "ETag of that object."),
        Column("source_offset", (), "bigint", "Byte offset in it, after decompression."),
        Column("source_length", (), "bigint", "Bytes; more than `raw` has where that is only its beginning."),
        Column("pieces", (), "bigint", "Pieces that the record stands for: more than 1 in a flood of small ones."),
        Column("raw", (), "string", "Its text as delivered; null where that is not UTF-8."),
        Column("raw_base64", (), "string", "Its bytes in base64, where they are no text, or one of escapes mostly."),
    ),
    doc="One record per piece of a file that became no row: where it stood, why, and its text.",
    partition=HOURS[:3],
)

SYSTEM_TABLES = (PROFILING_LOG, DIRTY_EVENTS)


PRIMITIVES = frozenset({"string", "bigint", "int", "double", "boolean", "timestamp", "date"})

_WORD = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class HiveType:
    """A column type.

    Attributes:
        kind: A primitive's name, ``array`` or ``struct``.
        fields: Name and type of each member of a struct, in order; an array has one, named ``element``.
    """

    kind: str
    fields: tuple[tuple[str, HiveType], ...] = ()

    @property
    def element(self) -> HiveType:
        """Return the type of an array's elements; raise ValueError for any other type."""
        if self.kind != "array":
            raise ValueError(f"{self} is not an array: it has no element type")
        return self.fields[0][1]

    def __str__(self) -> str:
        """Return the type in Hive notation, without spaces."""
        if self.kind == "array":
            return f"array<{self.element}>"
        if self.kind == "struct":
            return "struct<" + ",".join(f"{name}:{type_}" for name, type_ in self.fields) + ">"
        return self.kind


def parse_hive(text: str) -> HiveType:
    """Parse Hive notation such as ``array<struct<score:double>>``; raise ValueError when it is not."""
    type_, end = _parse(text, 0)
    if end < len(text):
        raise _error(text, end, "the end")
    return type_


def _parse(text: str, at: int) -> tuple[HiveType, int]:
    """Return the type at a position of `text`, and the position behind it."""
    kind, at = _word(text, at)
    if kind in PRIMITIVES:
        return HiveType(kind), at
    if kind not in {"array", "struct"}:
        raise _error(text, at - len(kind), "a type")
    fields: dict[str, HiveType] = {}
    opening = "<"
    while opening == "<" or (kind == "struct" and text.startswith(",", at)):
        name, at = "element", _expect(text, at, opening)
        if kind == "struct":
            name, at = _word(text, at)
            at = _expect(text, at, ":")
        if name in fields:
            raise _error(text, at, "a member that is not there yet")
        fields[name], at = _parse(text, at)
        opening = ","
    return HiveType(kind, tuple(fields.items())), _expect(text, at, ">")


def _word(text: str, at: int) -> tuple[str, int]:
    match = _WORD.match(text, at)
    if match is None:
        raise _error(text, at, "a name")
    return match[0], match.end()


def _expect(text: str, at: int, sign: str) -> int:
    if not text.startswith(sign, at):
        raise _error(text, at, repr(sign))
    return at + 1


def _error(text: str, at: int, expected: str) -> ValueError:
    return ValueError(f"{text!r} is not a Hive type: expected {expected} at {text[at:] or 'its end'!r}")


_Members = dict[str, "HiveType | _Members"]


def event_type(columns: Iterable[Column]) -> HiveType:
    """Return the struct an event is as far as `columns` are in it.

    Raises:
        ValueError: A column lies within another, or two say of the same member that it is different things.
    """
    members: _Members = {}
    for column in columns:
        parent, path = members, column.path
        for name in path[:-1]:
            found = parent.setdefault(name, {})
            if isinstance(found, HiveType):
                raise ValueError(f"column {column.name} lies within another: one of them has to go")
            parent = found
        type_ = parse_hive(column.type)
        if parent.setdefault(path[-1], type_) != type_:
            raise ValueError(f"column {column.name} is of another type than what stands at its path already")
    return _struct(members)


def _struct(members: _Members) -> HiveType:
    return HiveType(
        "struct",
        tuple((name, part if isinstance(part, HiveType) else _struct(part)) for name, part in members.items()),
    )
