"""Tables of the lake in Apache Iceberg: created and evolved from their columns, committed to, looked at, rolled back.

A table is what its newest snapshot says, and Glue's `UpdateTable` with the version it was read at makes a snapshot the
newest one: in one step, or not at all. A run's files become rows that way, and the run is named in the snapshot.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NoSuchIcebergTableError,
    NoSuchPropertyException,
    NoSuchTableError,
    TableAlreadyExistsError,
    ValidationError,
    ValidationException,
)
from pyiceberg.expressions import AlwaysTrue, BooleanExpression
from pyiceberg.schema import Schema
from pyiceberg.table import Table as IcebergTable
from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot
from pyiceberg.table.snapshots import SnapshotLogEntry

from sluice.aws.runtime import attempts
from sluice.contracts.model import Table
from sluice.lake.file_io_s3 import CLIENT, S3FileIO
from sluice.lake.object_store import table_prefix
from sluice.lake.schemas_iceberg import arrange, docs_of, missing, partition_spec, properties_of, schema_of

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

Value = TypeVar("Value")

RUN = "sluice.run"
"""Property of a snapshot's summary: the run whose files it added."""

_ALL = AlwaysTrue()
_ROWS = 100  # that are read into memory at a time

# Whether it was committed or not: the next look tells.
_UNSURE = (CommitFailedException, ValidationException, BotoCoreError, ClientError)

# PyIceberg copies a table's metadata twenty times a commit. Most of them are snapshots, which never change: copies of a
# week's would take ten times as long as the rest of a commit.
for _unchanging in (IcebergSnapshot, SnapshotLogEntry):
    setattr(_unchanging, "__deepcopy__", lambda self, _memo=None: self)  # noqa: B010  # mypy takes no assignment


class IncompatibleTableError(Exception):
    """A table cannot become what its contract says; the message names the columns and the way out."""


class CommitError(Exception):
    """A table refused a commit time and again; nothing of it is visible."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state of a table: what was added and removed since its parent, if it has one, and what the table holds then."""

    snapshot_id: int
    parent_id: int | None
    committed_at: datetime
    run_id: str
    operation: str
    rows_added: int
    rows_removed: int
    rows: int
    files: int
    bytes: int
    is_current: bool


class IcebergTables:
    """The tables of one database, their files in one bucket."""

    def __init__(self, client: "GlueClient", database: str, bucket: str, s3: "S3Client | None" = None) -> None:
        """Bind the database; the client tries nothing again, or a commit whose answer is lost would look refused.

        Files are read and written with `s3`, a function's with its own client.
        """
        files: dict[str, Any] = {"py-io-impl": f"{S3FileIO.__module__}.{S3FileIO.__name__}", CLIENT: s3}
        self._catalog = GlueCatalog(database, client=client, **files)
        self._database = database
        self._bucket = bucket

    def prepare(self, table: Table) -> list[str]:
        """Create a table, or let it gain the columns it lacks; return what changed, in words.

        Raises:
            IncompatibleTableError: A column is there with a type that cannot become the wanted one.
        """
        wanted = schema_of(table)
        try:
            current = self._load(table.name)
        except NoSuchIcebergTableError as error:
            raise IncompatibleTableError(
                f"{table.name}: the catalog has a table of this name that is no Iceberg table; "
                "rename or drop it, then deploy again"
            ) from error
        except NoSuchTableError:
            return self._create(table, wanted)
        changes = missing(wanted, current.schema())
        if changes or docs_of(wanted) != docs_of(current.schema()):
            self._evolve(current, wanted)
        stale = {name: value for name, value in properties_of(table).items() if current.properties.get(name) != value}
        if stale:
            with current.transaction() as change:
                change.set_properties(stale)
        return changes

    def drop(self, table: Table) -> list[str]:
        """Take a table out of the catalog, unless it is none of ours; its files stay. Return what changed, in words."""
        with suppress(NoSuchTableError):
            self._catalog.drop_table(self._load(table.name).name())
            return ["dropped"]
        return []

    def id_and_runs(self, table: str) -> tuple[str, set[str]]:
        """Return a table's id, which no other of its name ever has, and the runs it has; "" if it is not there."""
        with suppress(NoSuchTableError):
            current = self._load(table)
            return str(current.metadata.table_uuid), set(map(run_of, current.snapshots()))
        return "", set()

    def append(self, table: str, run_id: str, files: Sequence[str], table_id: str = "") -> None:
        """Add all files (keys of the bucket) of a run to a table in one snapshot, unless one of the run is there.

        They were written for the table of `table_id`, if that is known: in another their columns have other ids.

        Raises:
            CommitError: Others committed first each time, the table is another, or Glue or S3 refused.
        """
        locations = [f"s3://{self._bucket}/{key}" for key in files]

        def add(current: IcebergTable) -> None:
            if run_id not in map(run_of, current.snapshots()):
                if table_id not in {"", str(current.metadata.table_uuid)}:
                    raise CommitError(f"table {table} was created anew since run {run_id} wrote for it")
                current.add_files(locations, snapshot_properties={RUN: run_id}, check_duplicate_files=False)

        self._commit(table, add, f"run {run_id} could not be committed to table {table}")

    def names(self) -> list[str]:
        """Return the names of the tables whose files are in the lake's folders of tables."""
        pages = self._catalog.glue.get_paginator("get_tables").paginate(DatabaseName=self._database)
        entries = (each for page in pages for each in page["TableList"] if _is_iceberg(each.get("Parameters", {})))
        return sorted(name for each in entries if (name := self._name(_location_of(each))))

    def snapshots(self, table: str) -> list[Snapshot]:
        """Return the snapshots that a table has, newest first."""
        current = self._load(table)
        newest = current.current_snapshot()
        found = [_snapshot(each, newest) for each in current.snapshots()]
        return sorted(found, key=lambda snapshot: snapshot.committed_at, reverse=True)

    def read(self, table: str, columns: Sequence[str], rows: BooleanExpression = _ALL) -> Iterator[dict[str, Any]]:
        """Yield some columns of those rows of a table that an expression is true of, in no order, some at a time."""
        scan = self._load(table).scan(row_filter=rows, selected_fields=tuple(columns))
        for batch in scan.to_arrow_batch_reader():
            for start in range(0, batch.num_rows, _ROWS):
                yield from batch.slice(start, _ROWS).to_pylist()

    def properties(self, table: str) -> Mapping[str, str]:
        """Return the properties of a table."""
        return self._load(table).properties

    def roll_back(self, table: str, snapshot_id: int, seen: int) -> None:
        """Let a table be what one of its snapshots says, an earlier one or, to undo that, a later one.

        `seen` is the snapshot that it was when that was decided: a table that is another by now is left as it is.

        Raises:
            CommitError: Another commit came first, or Glue or S3 refused; nothing has changed.
        """

        def turn(current: IcebergTable) -> None:
            newest = current.current_snapshot()
            if newest is not None and newest.snapshot_id == snapshot_id:
                return
            if newest is None or newest.snapshot_id != seen:
                raise CommitError(f"table {table} has changed meanwhile; look at it before it is rolled back")
            current.manage_snapshots().set_current_snapshot(snapshot_id).commit()

        self._commit(table, turn, f"table {table} could not be rolled back")

    def _commit(self, table: str, change: Callable[[IcebergTable], Value], refused: str) -> Value:
        """Let `change` commit to a table as it is now, and again to what it is then after an answer that tells nothing.

        So `change` looks first whether it is done already.

        Raises:
            CommitError: No attempt came through; the message begins with what was `refused`.
        """
        failure: Exception | None = None
        for _ in attempts():
            try:
                return change(self._load(table))
            except _UNSURE as error:
                failure = error
        raise CommitError(f"{refused}: {failure}") from failure

    def _load(self, table: str) -> IcebergTable:
        try:
            return self._catalog.load_table((self._database, table.lower()))
        except NoSuchPropertyException as error:  # what PyIceberg says of tables that are not told to be of a kind
            raise NoSuchIcebergTableError(f"{table} is no Iceberg table") from error

    def _create(self, table: Table, wanted: Schema) -> list[str]:
        with suppress(TableAlreadyExistsError):  # a twin of this call was first
            self._catalog.create_table(
                (self._database, table.name.lower()),
                wanted,
                self._location(table.name),
                partition_spec(wanted, table.partition),
                properties=properties_of(table),
            )
        return ["created"]

    def _location(self, table: str) -> str:
        return f"s3://{self._bucket}/{table_prefix(table).removesuffix('/')}"

    def _name(self, location: str) -> str:
        """Return the table that has its files there; "" if that is no folder of the lake's."""
        name = location.rstrip("/").rpartition("/")[2].removesuffix(".parquet")
        return name if location.rstrip("/") == self._location(name) else ""

    def _evolve(self, current: IcebergTable, wanted: Schema) -> None:
        try:
            with current.update_schema() as update:
                update.union_by_name(wanted)
                arrange(update, wanted, current.schema())
        except (ValidationError, ValueError) as error:
            raise IncompatibleTableError(
                f"{current.name()[-1]}: {error}; a column keeps its type: give the new one another name, "
                "or drop the table and reprocess its files"
            ) from error


def _location_of(entry: Mapping[str, Any]) -> str:
    location: str = entry.get("StorageDescriptor", {}).get("Location", "")  # a view has none
    return location


def _is_iceberg(parameters: Mapping[str, str]) -> bool:
    return parameters.get("table_type", "").upper() == "ICEBERG"


def run_of(snapshot: IcebergSnapshot) -> str:
    """Return the run that made a snapshot; "" for one of nobody's."""
    return snapshot.summary.additional_properties.get(RUN, "") if snapshot.summary else ""


def _snapshot(snapshot: IcebergSnapshot, newest: IcebergSnapshot | None) -> Snapshot:
    summary = snapshot.summary
    counts = summary.additional_properties if summary else {}
    return Snapshot(
        snapshot_id=snapshot.snapshot_id,
        parent_id=snapshot.parent_snapshot_id,
        committed_at=datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC),
        run_id=run_of(snapshot),
        operation=summary.operation.value if summary else "",
        rows_added=int(counts.get("added-records", 0)),
        rows_removed=int(counts.get("deleted-records", 0)),
        rows=int(counts.get("total-records", 0)),
        files=int(counts.get("total-data-files", 0)),
        bytes=int(counts.get("total-files-size", 0)),
        is_current=newest is not None and snapshot.snapshot_id == newest.snapshot_id,
    )
