"""Our conversion, and how others would do it: clean lines to Parquet by hour, zstd at level 1, one thread.

The peers do less: they check no number of rows and write neither receipt nor profile. Only ours works in groups; others
are given all lines at once, as files or in memory, whichever they are faster with.
"""

import importlib
import os
from collections.abc import Callable, Mapping
from functools import cache, reduce
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sluice.contracts.model import PARTITION_KEYS, HiveType, event_type
from sluice.event_files.convert.batches import Converter, by_hour, read_rows
from sluice.event_files.convert.model import BatchGroup
from sluice.lake.parquet import arrow_schema, arrow_type, to_parquet
from tests.bench.clean_lines import REGISTRY, Folder, Work, row_of
from tests.bench.schemas import schema_of

BUCKET = "bench"

Convert = Callable[[Work, Path], object]

os.environ["POLARS_MAX_THREADS"] = "1"  # it is read when polars is imported
os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION="us-east-1")
_ZSTD = {"compression": "zstd", "compression_level": 1}
_HOUR_OF = {"year": (1, 4), "month": (6, 2), "day": (9, 2), "hour": (12, 2)}  # of date_time: first character, length


def ours(work: Work, target: Path) -> None:
    """Convert each batch as `convert_batch` does."""
    converter = Converter(REGISTRY, Folder(work.folder, target), schema_of, lambda: "attempt")
    for batch in work.batches:
        converter.convert(BatchGroup((batch,)))


def bound(work: Work, _target: Path) -> None:
    """Read, parse and encode, nothing else: no hours, no profile, nothing written."""
    files = Folder(work.folder, work.folder)
    for batch in work.batches:
        to_parquet(read_rows(work.contract, files.read_ranges(batch.spans)))


def from_objects(work: Work, target: Path) -> None:
    """Python objects by orjson, then Arrow's own way from them."""
    rows = [row_of(orjson.loads(line), work.contract.table_columns) for line in work.lines().splitlines()]
    table = pa.Table.from_pylist(rows, arrow_schema(work.contract.table_columns))
    for hour, part in by_hour(table):
        pq.write_table(part, _file(target, hour), **_ZSTD)


def awswrangler(work: Work, _target: Path) -> None:
    """Convert as the original does: rows to a data frame, that to a partitioned data set in moto's bucket."""
    pandas, wrangler = _import("pandas"), _import("awswrangler")
    columns = {column.name: column.type for column in work.contract.table_columns}
    rows = [row_of(orjson.loads(line), work.contract.table_columns) for line in work.lines().splitlines()]
    frame = pandas.DataFrame(rows, columns=list(columns))
    for name, (first, length) in _HOUR_OF.items():
        frame[name] = frame["date_time"].str.slice(first - 1, first - 1 + length).astype(int)
    _bucket()
    wrangler.s3.to_parquet(
        frame,
        f"s3://{BUCKET}/table/",
        dataset=True,
        mode="overwrite",
        partition_cols=list(PARTITION_KEYS),
        dtype=columns,
        compression="zstd",
        pyarrow_additional_kwargs={"compression_level": 1},
        use_threads=False,
    )


def duckdb(work: Work, target: Path) -> None:
    """Files to files, in SQL."""
    members = {name: _duckdb_type(type_) for name, type_ in event_type(work.contract.table_columns).fields}
    columns = ", ".join(
        f"{'.'.join(_quoted(member) for member in column.path)} AS {column.name}"
        for column in work.contract.table_columns
    )
    hours = ", ".join(
        f"CAST(substr(date_time, {first}, {length}) AS INTEGER) AS {name}" for name, (first, length) in _HOUR_OF.items()
    )
    with _import("duckdb").connect(config={"threads": 1}) as connection:
        connection.execute(
            f"COPY (SELECT *, {hours} FROM (SELECT {columns} FROM read_json({[str(path) for path in work.objects]}, "
            f"columns={members}, format='newline_delimited'))) TO '{target}' "
            f"(FORMAT parquet, PARTITION_BY ({', '.join(PARTITION_KEYS)}), COMPRESSION zstd, COMPRESSION_LEVEL 1)"
        )


def polars(work: Work, target: Path) -> None:
    """Lines in memory to a data frame, the data frame to a partitioned data set."""
    pl = _import("polars")
    schema = {name: _polars_type(pl, type_) for name, type_ in event_type(work.contract.table_columns).fields}
    columns = {column.name: _polars_column(pl, *column.path) for column in work.contract.table_columns}
    hours = {
        name: pl.col("date_time").str.slice(first - 1, length).cast(pl.Int32)
        for name, (first, length) in _HOUR_OF.items()
    }
    frame = pl.read_ndjson(work.lines(), schema=schema).select(**columns).with_columns(**hours)
    frame.write_parquet(target, partition_by=list(PARTITION_KEYS), **_ZSTD)


def arro3(work: Work, target: Path) -> None:
    """Reader and writer of arrow-rs; our own partitions between them, for it has none."""
    schema = pa.schema(arrow_type(event_type(work.contract.table_columns)))
    events = pa.table(_import("arro3.io").read_json(pa.BufferReader(work.lines()), schema).read_all())
    paths = {column.name: column.path for column in work.contract.table_columns}
    rows = pa.table({name: _arrow_column(events, *path) for name, path in paths.items()})
    for hour, part in by_hour(rows):
        _import("arro3.io").write_parquet(part, str(_file(target, hour)), compression="zstd(1)")


CANDIDATES: Mapping[str, Convert] = {
    "ours": ours,
    "bound": bound,
    "awswrangler": awswrangler,
    "from_objects": from_objects,
    "duckdb": duckdb,
    "polars": polars,
    "arro3": arro3,
}


def fetch(target: Path) -> None:
    """Bring what `awswrangler` wrote from the bucket into the folder."""
    bucket = _import("boto3").resource("s3").Bucket(BUCKET)
    for item in bucket.objects.filter(Prefix="table/"):
        path = target / item.key.removeprefix("table/")
        path.parent.mkdir(parents=True, exist_ok=True)
        bucket.download_file(item.key, str(path))


@cache
def _bucket() -> None:
    """The bucket of this process."""
    _import("moto").mock_aws().start()
    _import("boto3").client("s3").create_bucket(Bucket=BUCKET)


def _import(name: str) -> Any:
    """A peer that only this environment has, imported when it is needed: each has its weight."""
    return importlib.import_module(name)


def _file(target: Path, hour: str) -> Path:
    parts = [f"{name}={int(hour[first - 1 : first - 1 + length])}" for name, (first, length) in _HOUR_OF.items()]
    folder = target.joinpath(*parts)
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "part.parquet"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _arrow_column(events: pa.Table, member: str, *within: str) -> Any:
    return pc.struct_field(events[member], within) if within else events[member]


def _polars_column(pl: Any, member: str, *within: str) -> Any:
    return reduce(lambda column, name: column.struct.field(name), within, pl.col(member))


def _duckdb_type(type_: HiveType) -> str:
    if type_.kind == "array":
        return f"{_duckdb_type(type_.element)}[]"
    if type_.kind == "struct":
        return f"STRUCT({', '.join(f'{_quoted(name)} {_duckdb_type(member)}' for name, member in type_.fields)})"
    return {"string": "VARCHAR", "bigint": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN"}[type_.kind]


def _polars_type(pl: Any, type_: HiveType) -> Any:
    if type_.kind == "array":
        return pl.List(_polars_type(pl, type_.element))
    if type_.kind == "struct":
        return pl.Struct({name: _polars_type(pl, member) for name, member in type_.fields})
    return {"string": pl.String, "bigint": pl.Int64, "double": pl.Float64, "boolean": pl.Boolean}[type_.kind]
