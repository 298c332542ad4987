"""Speed and memory of converting beside its peers, after their results were compared value by value.

PYTHONPATH=.:layers build/bench/venv/bin/python -m tests.bench.conversion
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from sluice.contracts.model import PARTITION_KEYS
from sluice.lake.parquet import arrow_schema
from tests.bench.clean_lines import Shape, Work, make_work, row_of
from tests.bench.memory import peak_mb
from tests.bench.peers.converters import CANDIDATES, Convert, fetch
from tests.bench.peers.spark import NoSparkError, Spark, started
from tests.bench.result import Result
from tests.bench.timing import ROUNDS, in_turns, ratios

SHAPES: Mapping[str, Shape] = {
    "convert": Shape("MICROONE_PRED", 64_000_000, growth=8),
    "convert_small_objects": Shape("MICROONE_PRED", 20_000_000, object_bytes=20_000, growth=8),
}
_OF_MEMORY = Shape("MICROONE_PRED", 142_000_000, growth=8)
_FEWER_ROUNDS = 3
_WITH_SPARK = "convert_small_objects"  # one shape is all there is time for: this one takes it a minute


class DisagreementError(Exception):
    """A candidate wrote other values than stand in the lines."""


def bench_conversion(result: Result) -> None:
    """Measure everything there is of conversion. Raises DisagreementError."""
    _memory(result)
    for prefix, shape in SHAPES.items():
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            work = make_work(shape, Path(folder, "lake"))
            spark = _spark(stack, result, prefix) if prefix == _WITH_SPARK else None
            candidates = {**CANDIDATES, "pyspark": spark.convert} if spark else CANDIDATES
            _times(work, candidates, Path(folder), result, prefix)
            if spark:
                result.figure(f"{prefix}_rss_mb/pyspark", spark.peak_mb)


def _spark(stack: ExitStack, result: Result, prefix: str) -> Spark | None:
    try:
        return stack.enter_context(started())
    except NoSparkError as error:
        result.leave_out(f"{prefix}/pyspark", str(error))
        return None


def _times(work: Work, candidates: Mapping[str, Convert], folder: Path, result: Result, prefix: str) -> None:
    """Tell how many times as long as ours each peer takes; "bound" is below 1. The first run warms and is compared."""
    runs = {name: partial(_anew, convert, work, folder / name) for name, convert in candidates.items()}
    _assert_agreement(work, {name: run() for name, run in runs.items()})
    seconds = in_turns(runs, ROUNDS if prefix == "convert" else _FEWER_ROUNDS, warm=True)
    for name in list(seconds)[1:]:
        result.ratio(f"{prefix}/{name}", ratios(seconds, "ours", name))


def _memory(result: Result) -> None:
    """Measure the peak of each in a process of its own; moto's bucket, in memory, is part of awswrangler's."""
    result.figure("convert_imports_rss_mb", peak_mb("import", "tests.bench.peers.converters"))
    with tempfile.TemporaryDirectory() as folder:
        described, target = Path(folder, "work.json"), Path(folder, "memory")
        make_work(_OF_MEMORY, Path(folder, "lake")).write(described)
        for name in (each for each in CANDIDATES if each != "bound"):
            (target / name).mkdir(parents=True)
            peak = peak_mb("convert", name, described, target / name)
            result.figure("convert_rss_mb" if name == "ours" else f"convert_rss_mb/{name}", peak)


def _anew(convert: Convert, work: Work, target: Path) -> Path:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    convert(work, target)
    return target


def _assert_agreement(work: Work, targets: Mapping[str, Path]) -> None:
    """Compare what each wrote with what the standard library reads."""
    fetch(targets["awswrangler"])
    truth = _truth(work)
    for name in targets.keys() - {"bound"}:
        folder = (
            targets[name] / f"data/clean_parquet/{work.contract.table}.parquet" if name == "ours" else targets[name]
        )
        if not _sorted(_read(folder, truth.schema)).equals(truth):
            raise DisagreementError(f"{work.contract.table}: {name} wrote something else")


def _truth(work: Work) -> pa.Table:
    rows = [row_of(json.loads(line), work.contract.table_columns) for line in work.lines().splitlines()]
    for row in rows:
        day, _, time = row["date_time"].partition("T")
        row.update(zip(PARTITION_KEYS, map(int, (*day.split("-"), time[:2])), strict=True))
    hours = [pa.field(name, pa.int32()) for name in PARTITION_KEYS]
    return _sorted(pa.Table.from_pylist(rows, pa.schema([*arrow_schema(work.contract.table_columns), *hours])))


def _read(folder: Path, schema: pa.Schema) -> pa.Table:
    hours = ds.partitioning(pa.schema([schema.field(name) for name in PARTITION_KEYS]), flavor="hive")
    return ds.dataset(folder, format="parquet", partitioning=hours).to_table(columns=schema.names).cast(schema)


def _sorted(table: pa.Table) -> pa.Table:
    return table.take(pc.sort_indices(table["_source_offset"])).combine_chunks()


if __name__ == "__main__":
    bench_conversion(Result())
