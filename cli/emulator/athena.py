"""Teach the local cloud's Athena to read Iceberg tables, also as they were.

The emulator reads every object under a table's location, metadata too, and knows no `FOR VERSION AS OF`. Here a table
with a `metadata_location` is the data files of one of its snapshots, with the columns that the table had then. What its
metadata tell needs no file, as for Athena: how many rows there are, and in which partitions. This is put into the
emulator's process by replacing functions of its module for Athena; docs/emulator-iceberg.md has it as a patch for its
maintainers, but for the last.
"""

import io
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot
from ministack.services import athena, glue
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.table import StaticTable
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import IcebergType, ListType, NestedField, StructType
from sqlglot import exp
from sqlglot.errors import SqlglotError

from cli.emulator.athena_iceberg import data_files, static_table, stored
from cli.emulator.athena_results import write_results

_DIALECT = "trino"
_VERSION, _TIMESTAMP = "@version:", "@timestamp:"  # in the name of a table, while a query is rewritten
_PRIMITIVES = {
    "string": "VARCHAR",
    "long": "BIGINT",
    "int": "INTEGER",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
}

_asked: ContextVar[str] = ContextVar("_asked", default="")
_named: ContextVar[frozenset[str] | None] = ContextVar("_named", default=None)
_references = athena._table_references
_hive_files = athena._materialize_table_files
_hive_relation = athena._table_relation
_no_rows = athena._empty_relation
_rewrite = athena._rewrite_data_paths


def read_iceberg() -> None:
    """Let the emulator's Athena read Iceberg tables, and write results as and where Athena does."""
    athena._rewrite_data_paths = _rewritten
    athena._table_references = _references_as_of
    athena._materialize_table_files = _files
    athena._table_relation = _relation
    athena._empty_relation = lambda table: _relation(table, [])
    write_results()


async def _rewritten(query: str, database: str, catalog: str | None = None) -> Any:  # noqa: ANN401  # as the emulator's
    try:
        parsed = sqlglot.parse_one(query, dialect=_DIALECT)
    except SqlglotError:  # the engine says what is wrong
        _named.set(None)
        return await _rewrite(query, database, catalog)
    _named.set(_names(parsed))
    return await _rewrite(_versions_in_names(parsed) or query, database, catalog)


def _names(query: exp.Expr) -> frozenset[str] | None:
    """Return all names in a query, those of columns among them; None if it may mean columns that it does not name."""
    for each in query.find_all(exp.Star, exp.TableAlias, exp.Join):
        counted = isinstance(each, exp.Star) and isinstance(each.parent, exp.Count)
        if not counted and (isinstance(each, exp.Star) or each.args.get("columns") or each.args.get("method")):
            return None
    return frozenset(each.name.lower() for each in query.find_all(exp.Identifier))


def _versions_in_names(parsed: exp.Expr) -> str:
    """Move what a query says of a table's version into the table's name, where `_references_as_of` finds it.

    Returns "" if it says nothing.
    """
    tables = [table for table in parsed.find_all(exp.Table) if table.args.get("version")]
    for table in tables:
        version = table.args["version"].pop()
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
        moment = f"{_VERSION if version.name == 'VERSION' else _TIMESTAMP}{_number(version)}"
        table.set("this", exp.to_identifier(f"{table.name.lower()}{moment}", quoted=True))
    return parsed.sql(dialect=_DIALECT) if tables else ""


def _number(version: exp.Version) -> int:
    """Return the id of a snapshot, or a time in milliseconds, from an expression."""
    if version.name == "VERSION":
        return int(version.expression.name)
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        time = version.expression.sql(dialect="duckdb")
        (found,) = engine.execute(f"SELECT epoch_ms(CAST({time} AS TIMESTAMPTZ))").fetchall()[0]
        return int(found)


def _references_as_of(query: str) -> Iterator[Any]:
    """Yield the tables that a query names; what is read of each is the version that was asked for there."""
    for reference in _references(query):
        table, at, version = reference.table.partition("@")
        _asked.set(at + version)
        yield replace(reference, table=table)
    _asked.set("")


def _files(location: str, workdirs: list[str]) -> list[str]:
    """Return local copies of a table's data files; they never change, so that a copy serves every query."""
    table = _iceberg_table(location)
    if table is None:
        files: list[str] = _hive_files(location, workdirs)
        return files
    found = data_files(table.metadata_location, _snapshot_of(table))
    return [] if _in_metadata(table) else [_copy(file) for file in found.locations]


def _in_metadata(table: StaticTable) -> bool:
    """Return whether a query asks for nothing of a table but its partitions, and how many rows they have."""
    named, (spec, *others) = _named.get(), table.specs().values()
    if named is None or others or not all(isinstance(each.transform, IdentityTransform) for each in spec.fields):
        return False
    partition = {each.name.lower() for each in spec.fields}
    return named.isdisjoint({each.name.lower() for each in _schema(table).fields} - partition)


def _iceberg_table(location: str) -> StaticTable | None:
    """Return the Iceberg table at a location, as the catalog has it now."""
    for table in list(glue._tables.values()):
        metadata = (table.get("Parameters") or {}).get("metadata_location")
        if metadata and (table.get("StorageDescriptor") or {}).get("Location") == location:
            return static_table(metadata)
    if _asked.get():
        raise ValueError("NOT_SUPPORTED: This connector does not support versioned tables")
    return None


def _snapshot_of(table: StaticTable) -> int | None:
    """Return the snapshot that a query asks for; None for the current one."""
    asked = _asked.get()
    if not asked:
        return None
    if asked.startswith(_VERSION):
        wanted = int(asked.removeprefix(_VERSION))
        if table.snapshot_by_id(wanted) is None:
            raise ValueError(f"INVALID_ARGUMENTS: Iceberg snapshot ID does not exists: {wanted}")
        return wanted
    time = int(asked.removeprefix(_TIMESTAMP))
    found = table.snapshot_as_of_timestamp(time)
    if found is None:
        raise ValueError(f"INVALID_ARGUMENTS: No version history table at or before {time} ms")
    return found.snapshot_id


def _copy(location: str) -> str:
    return _kept(location, stored(location))


def _kept(name: str, body: bytes) -> str:
    """Return the path of a file that queries may read, and that has what never changes under this name."""
    path = Path(gettempdir()) / "athena" / f"{sha256(name.encode()).hexdigest()}.parquet"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        whole = path.with_suffix(f".{uuid4().hex}")
        whole.write_bytes(body)
        whole.replace(path)  # in one step: another query may look for it
    return str(path)


def _relation(table: dict[str, Any], files: list[str]) -> str:
    """Return what stands in a query for a table: its columns, and the rows of its files."""
    iceberg = _iceberg_table((table.get("StorageDescriptor") or {}).get("Location", ""))
    if iceberg is None:
        relation: str = _hive_relation(table, files) if files else _no_rows(table)
        return relation
    if not files:
        return _partitions(iceberg)
    fields = _schema(iceberg).fields
    no_rows = ", ".join(f"CAST(NULL AS {_type(field.field_type)}) AS {_name(field)}" for field in fields)
    # Files lack columns, and members, that are younger than they are, and may have some that the table has no more.
    columns = ", ".join(f"CAST({_name(field)} AS {_type(field.field_type)}) AS {_name(field)}" for field in fields)
    rows = f"read_parquet({athena._sql_list(files)}, union_by_name = true, hive_partitioning = false)"
    return f"(SELECT {columns} FROM (SELECT {no_rows} WHERE FALSE UNION ALL BY NAME SELECT * FROM {rows}))"


def _partitions(table: StaticTable) -> str:
    """Return what stands in a query for a table of which it asks for the partitions only: a row for each of theirs."""
    found, schema = data_files(table.metadata_location, _snapshot_of(table)).rows, _schema(table)
    fields = [schema.find_field(each.source_id) for each in table.spec().fields]
    values = list(zip(*found, strict=True)) or [()] * len(fields)
    columns = {
        field.name: pa.array(each, schema_to_pyarrow(field.field_type))
        for field, each in zip(fields, values, strict=True)
    }
    body = io.BytesIO()
    pq.write_table(pa.table({**columns, "rows": pa.array(found.values(), pa.int64())}), body)
    path = _kept(f"{table.metadata_location}{_asked.get()}", body.getvalue())
    selected = ", ".join(
        f"CAST({f'p.{_name(each)}' if each in fields else 'NULL'} AS {_type(each.field_type)}) AS {_name(each)}"
        for each in schema.fields
    )
    return f"(SELECT {selected} FROM read_parquet('{path}') AS p, range(p.rows))"


def _schema(table: StaticTable) -> Schema:
    """Return the columns of a table: today's, or those it had when the snapshot was made that a query asks for."""
    snapshot_id = _snapshot_of(table)
    snapshot = table.snapshot_by_id(snapshot_id) if snapshot_id else None
    return table.schema() if snapshot is None or snapshot.schema_id is None else table.schemas()[snapshot.schema_id]


def _type(type_: IcebergType) -> str:
    """Return a type in DuckDB's words."""
    if isinstance(type_, ListType):
        return f"{_type(type_.element_type)}[]"
    if isinstance(type_, StructType):
        return f"STRUCT({', '.join(f'{_name(field)} {_type(field.field_type)}' for field in type_.fields)})"
    return _PRIMITIVES[str(type_)]


def _name(field: NestedField) -> str:
    return '"' + field.name.replace('"', '""') + '"'
