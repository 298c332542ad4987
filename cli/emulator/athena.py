"""What we teach the local cloud's Athena: to read Iceberg tables, also as they were, and to write results in place.

The emulator reads every object under a table's location, metadata too, and knows no `FOR VERSION AS OF`. Here a table
with a `metadata_location` is the data files of one of its snapshots, with the columns of its schema. And the emulator
writes a query's result to `<location>/<id>.csv/<id>.csv`; Athena, and whoever reads the result there, means
`<location>/<id>.csv`. Both are put into the emulator's process by replacing functions of its module for Athena.
"""

import io
import re
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any, NamedTuple

from ministack.services import athena, glue, s3
from pyiceberg.io import FileIO, InputFile, OutputFile
from pyiceberg.table import StaticTable
from pyiceberg.types import IcebergType, ListType, NestedField, StructType

_AS_OF = re.compile(
    r"""(?P<table>(?:"[^"]+"|[\w.])+)\s+for\s+(?:version\s+as\s+of\s+(?P<version>\d+)
        |(?:timestamp|system_time)\s+as\s+of\s+timestamp\s*'(?P<time>[^']+)')""",
    re.IGNORECASE | re.VERBOSE,
)
_PRIMITIVES = {
    "string": "VARCHAR",
    "long": "BIGINT",
    "int": "INTEGER",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMP",
}


class _Moment(NamedTuple):
    """A state of a table that a query asks for: a snapshot's id, or the newest before a time."""

    version: str | None
    time: str | None


_moments: ContextVar[Mapping[str, _Moment]] = ContextVar("_moments")
_hive_files = athena._materialize_table_files
_hive_relation = athena._table_relation
_no_rows = athena._empty_relation
_rewrite = athena._rewrite_data_paths


def read_iceberg() -> None:
    """Let the emulator's Athena read Iceberg tables, and write results where Athena does."""
    athena._rewrite_data_paths = _rewritten
    athena._materialize_table_files = _files
    athena._table_relation = _relation
    athena._empty_relation = lambda table: _relation(table, [])
    athena._save_query_results = _result_in_place(athena._save_query_results)


async def _rewritten(query: str, database: str, catalog: str | None = None) -> Any:  # noqa: ANN401  # as the emulator's
    """Take what a query says of versions out of it, and read its tables accordingly."""
    moments = {
        found["table"].replace('"', "").rpartition(".")[2].lower(): _Moment(found["version"], found["time"])
        for found in _AS_OF.finditer(query)
    }
    token = _moments.set(moments)
    try:
        return await _rewrite(_AS_OF.sub(lambda found: found["table"], query), database, catalog)
    finally:
        _moments.reset(token)


def _files(location: str, workdirs: list[str]) -> list[str]:
    """Return local copies of a table's data files; they never change, so that a copy serves every query."""
    table = _iceberg_table(location)
    if table is None:
        files: list[str] = _hive_files(location, workdirs)
        return files
    return [_copy(task.file.file_path) for task in table.scan(snapshot_id=_snapshot_of(table)).plan_files()]


def _iceberg_table(location: str) -> StaticTable | None:
    """Return the Iceberg table at a location, as the catalog has it now."""
    for table in list(glue._tables.values()):
        metadata = (table.get("Parameters") or {}).get("metadata_location")
        if metadata and (table.get("StorageDescriptor") or {}).get("Location") == location:
            static = StaticTable.from_metadata(metadata, {"py-io-impl": f"{__name__}.{StoredFiles.__name__}"})
            static.metadata.properties["sluice.name"] = table["Name"]
            return static
    return None


def _snapshot_of(table: StaticTable) -> int | None:
    moment = _moments.get({}).get(table.metadata.properties["sluice.name"])
    if moment is None:
        return None
    if moment.version:
        return int(moment.version)
    asked = datetime.fromisoformat(moment.time.replace(" UTC", "+00:00")).timestamp() * 1000  # type: ignore[union-attr]
    snapshot = table.snapshot_as_of_timestamp(int(asked))
    if snapshot is None:
        raise ValueError(f"INVALID_ARGUMENTS: No version history table at or before {moment.time}")
    return snapshot.snapshot_id


def _copy(location: str) -> str:
    path = Path(gettempdir()) / "athena" / location.removeprefix("s3://")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_stored(location))
    return str(path)


def _relation(table: dict[str, Any], files: list[str]) -> str:
    """Return what stands in a query for a table: its columns, and the rows of its files."""
    iceberg = _iceberg_table((table.get("StorageDescriptor") or {}).get("Location", ""))
    if iceberg is None:
        relation: str = _hive_relation(table, files) if files else _no_rows(table)
        return relation
    columns = ", ".join(
        f"CAST(NULL AS {_type(field.field_type)}) AS {_name(field)}" for field in iceberg.schema().fields
    )
    no_rows = f"SELECT {columns} WHERE FALSE"
    if not files:
        return f"({no_rows})"
    paths = athena._sql_list(files)
    rows = f"SELECT * FROM read_parquet({paths}, union_by_name = true, hive_partitioning = false)"
    return f"({no_rows} UNION ALL BY NAME {rows})"


def _type(type_: IcebergType) -> str:
    """Return a type in DuckDB's words."""
    if isinstance(type_, ListType):
        return f"{_type(type_.element_type)}[]"
    if isinstance(type_, StructType):
        return f"STRUCT({', '.join(f'{_name(field)} {_type(field.field_type)}' for field in type_.fields)})"
    return _PRIMITIVES[str(type_)]


def _name(field: NestedField) -> str:
    return f'"{field.name}"'


def _result_in_place(save: Any) -> Any:  # noqa: ANN401  # the emulator's function has no types
    async def saved(query_id: str) -> None:
        execution = athena._executions[query_id]
        location = execution["ResultConfiguration"]["OutputLocation"]
        execution["ResultConfiguration"]["OutputLocation"] = location.removesuffix(f"{query_id}.csv")
        try:
            await save(query_id)
        finally:
            execution["ResultConfiguration"]["OutputLocation"] = location

    return saved


class StoredFiles(FileIO):
    """The objects that the emulator keeps, for PyIceberg to read."""

    def new_input(self, location: str) -> "_Stored":
        """Return an object to be read."""
        return _Stored(location)

    def new_output(self, location: str) -> OutputFile:
        """Refuse: the emulator's Athena only reads."""
        raise NotImplementedError(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """Refuse: the emulator's Athena only reads."""
        raise NotImplementedError(location)


class _Stored(InputFile):
    def __len__(self) -> int:
        return len(_stored(self.location))

    def exists(self) -> bool:
        return True

    def open(self, seekable: bool = True) -> Any:  # noqa: ANN401, ARG002  # PyIceberg's signature
        return io.BytesIO(_stored(self.location))


def _stored(location: str) -> bytes:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    body: bytes | None = s3._get_object_data(bucket, key)
    if body is None:
        raise FileNotFoundError(location)
    return body
