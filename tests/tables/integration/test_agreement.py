"""DuckDB's Iceberg reader, the local cloud's Athena and Arrow find the same rows in every table, after every commit."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import duckdb
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from cli.event_files.file_generation import event_files
from cli.platform.query import _column_types, run_query
from cli.platform.session import Deployment
from cli.platform.sql import nested_as_json
from sluice.contracts.model import Column
from sluice.lake.partitions_iceberg import IcebergPartitions
from sluice.tables.table_files_iceberg import IcebergFiles
from tests.support.lake_tables import DATABASE
from tests.support.local.emulated_lake import EmulatedLake
from tests.support.moto.stage import LAKE, REGISTRY
from tests.tables.integration.cloud_stage import CloudStage, cloud_stage, made
from tests.tables.integration.upkeep_stage import TABLE, UpkeepStage

Row = dict[str, Any]

_TABLES = {each.name: each for each in REGISTRY.tables()}
_NESTED = "SUMMARIZER_PRED"
_MEMBERS = {"input_sentences_scores": "array<struct<score:double,sentence:string,language:string>>"}
_GROWN = (
    replace(
        _TABLES[TABLE],
        columns=(
            *_TABLES[TABLE].columns,
            Column("notes", ("notes",), "array<struct<text:string,score:double>>", "Came later."),
        ),
    ),
    replace(
        _TABLES[_NESTED],
        columns=tuple(replace(each, type=_MEMBERS.get(each.name, each.type)) for each in _TABLES[_NESTED].columns),
    ),
)
"""Tables with a column, and with a member of a nested one, that they had not at first."""


def test_three_readers_agree(emulated_lake: EmulatedLake) -> None:
    deployment = made(emulated_lake, _TABLES.values())
    stage = cloud_stage(deployment)
    readers, upkeep, seeds = _Readers(deployment, stage), UpkeepStage(cloud_stage(deployment)), count(1)
    upkeep.tables = IcebergFiles(stage.glue, DATABASE, LAKE, stage.s3)  # of all tables
    assert set(readers.agree().values()) == {0}
    _convert(stage, next(seeds))
    first = readers.agree()
    assert min(first.values())
    rolled = {table: upkeep.tables.snapshots(table)[0].snapshot_id for table in _TABLES}
    _convert(stage, next(seeds))
    converted = readers.agree()
    assert upkeep.compact().counts["files_made"] >= len(_TABLES) - 2, "but those of the log and of dirty events"
    assert readers.agree() == converted, "compacted"
    newest = {table: upkeep.tables.snapshots(table)[0].snapshot_id for table in _TABLES}
    for back, forth, rows in ((rolled, newest, first), (newest, rolled, converted)):
        for table in _TABLES:
            upkeep.tables.roll_back(table, back[table], forth[table])
        assert readers.agree() == rows
    for grown in _GROWN:
        assert upkeep.tables.prepare(grown)
    assert readers.agree() == converted, "columns and members more"
    _convert(stage, next(seeds))
    assert readers.agree()[TABLE] > converted[TABLE]
    _replace_an_hour(stage)
    readers.agree()


def _convert(stage: CloudStage, seed: int) -> None:
    """Let files arrive and be converted that have clean and dirty events of all tables, in a few hours."""
    for file in event_files(REGISTRY, files=3, events=90, seed=seed):
        stage.arrive(f"{seed}/{file.name}", file.body)
    assert stage.convert() is not None


def _replace_an_hour(stage: CloudStage) -> None:
    """Put rows with the new column in place of all files of an hour."""
    task = next(iter(stage.tables._load(TABLE).scan().plan_files()))
    place = task.file.file_path.removeprefix(f"s3://{LAKE}/")
    rows = pq.read_table(pa.BufferReader(stage.lake.read(place)), partitioning=None)
    schema = stage.columns.schema(TABLE)
    notes = [None, [], [{"text": None, "score": 1.5}, {"text": "later", "score": None}]]
    grown = pa.Table.from_pylist(
        [row | {"notes": notes[number % 3]} for number, row in enumerate(3 * rows.to_pylist())], schema
    )
    new = place.replace(".parquet", "-new.parquet").replace(f"{TABLE}-new.parquet/", f"{TABLE}.parquet/")
    body = pa.BufferOutputStream()
    pq.write_table(grown, body)
    stage.lake.write(new, body.getvalue().to_pybytes())
    hour = {key: grown[key][0].as_py() for key in ("year", "month", "day", "hour")}
    IcebergPartitions(stage.glue, DATABASE, LAKE, stage.s3).replace_partition(TABLE, "replaced", hour, [new])


class _Readers:
    """Three readers of a lake that share no line."""

    def __init__(self, deployment: Deployment, stage: CloudStage) -> None:
        self._deployment, self._stage, self._duck = deployment, stage, _duckdb(deployment)

    def agree(self) -> dict[str, int]:
        """Assert that all find the same rows in all tables, and return how many."""
        counts = {}
        for table in _TABLES:
            expected = _sorted(self._by_arrow(table))
            assert _sorted(self._by_duckdb(table)) == expected, f"{table} by DuckDB"
            assert _sorted(self._by_athena(table)) == expected, f"{table} by Athena"
            counts[table] = len(expected)
        return counts

    def _by_arrow(self, name: str) -> Iterator[Row]:
        """Yield the rows of the files themselves; what came later is null."""
        row_type = pa.struct(self._stage.columns.schema(name))
        for task in self._stage.tables._load(name).scan().plan_files():
            body = self._stage.lake.read(task.file.file_path.removeprefix(f"s3://{LAKE}/"))
            for row in pq.read_table(pa.BufferReader(body), partitioning=None).to_pylist():
                yield _filled(row, row_type)

    def _by_duckdb(self, name: str) -> list[Row]:
        table = self._deployment.glue.get_table(DatabaseName=DATABASE, Name=name.lower())["Table"]
        found = self._duck.execute("select * from iceberg_scan(?)", [table["Parameters"]["metadata_location"]])
        rows: list[Row] = found.to_arrow_table().to_pylist()
        return rows

    def _by_athena(self, name: str) -> Iterator[Row]:
        sql, nested = nested_as_json(f"select * from {name.lower()}", _column_types(self._deployment))
        found = run_query(self._deployment, sql, nested)
        times = {column.name for column in _TABLES[name].columns if column.type == "timestamp"}
        for values in found.rows:
            row = dict(zip(found.columns, values, strict=True))
            yield row | {each: row[each] and datetime.fromisoformat(row[each]) for each in times}


def _filled(value: Any, type_: pa.DataType) -> Any:
    """Return a value of a file with nulls for the members that its type has by now."""
    if value and pa.types.is_list(type_):
        return [_filled(each, type_.value_type) for each in value]
    if value is not None and pa.types.is_struct(type_):
        return {field.name: _filled(value.get(field.name), field.type) for field in type_}
    return value


def _sorted(rows: Iterable[Row]) -> list[bytes]:
    """Return rows as texts; times have no zone, whatever a reader calls theirs."""
    option = orjson.OPT_SORT_KEYS | orjson.OPT_NAIVE_UTC
    return sorted(orjson.dumps(row, option=option) for row in rows)


def _duckdb(deployment: Deployment) -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect(config={"allow_unsigned_extensions": "true"})
    for name in ("httpfs", "avro", "iceberg"):
        folder = Path(next(iter(import_module(f"duckdb_extension_{name}").__path__)))
        engine.execute(f"LOAD '{next(folder.rglob('*.duckdb_extension'))}'")
    key = deployment.session.get_credentials()
    assert key is not None
    place = urlsplit(str(deployment.endpoint))
    engine.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{key.access_key}', SECRET '{key.secret_key}', REGION 'us-east-1', "
        f"ENDPOINT '{place.netloc}', USE_SSL false, URL_STYLE 'path')"
    )
    return engine
