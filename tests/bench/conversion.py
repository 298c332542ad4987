"""How fast and how large converting is, beside its peers, after their answers were compared value by value.

PYTHONPATH=.:layers build/bench/venv/bin/python -m tests.bench.conversion [SHAPE …]
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from sluice.contracts.model import PARTITION_KEYS
from sluice.conversion.arrow import arrow_schema
from tests.bench.clean_lines import Shape, Work, make_work
from tests.bench.converters import PEERS, Convert, fetch, ours
from tests.bench.result import Result
from tests.bench.rounds import ROUNDS, Spread, in_turns, ratios

SHAPES: Mapping[str, Shape] = {
    "large": Shape("MICROONE_PRED", 142_000_000, growth=8),
    "middle": Shape("MICROTHREE_PRED", 36_000_000, growth=6),
    "small": Shape("MICROONE_EVENT", 10_800_000),
    "small_objects": Shape("MICROONE_PRED", 36_000_000, object_bytes=20_000, growth=8),
    "many_hours": Shape("MICROONE_EVENT", 4_000_000, hours=500),
}
_FEWER_ROUNDS = 3


class DisagreementError(Exception):
    """A candidate wrote other values than stand in the lines."""


def measure(shape: Shape, rounds: int = ROUNDS) -> dict[str, Spread]:
    """Tell how many times as long as ours each peer takes, by peer; "bound" is below 1. Raises DisagreementError."""
    with tempfile.TemporaryDirectory() as folder:
        work = make_work(shape, Path(folder, "lake"))
        candidates = {"ours": ours, **PEERS}
        runs = {name: partial(_anew, convert, work, Path(folder, name)) for name, convert in candidates.items()}
        _assert_agreement(work, {name: run() for name, run in runs.items()})
        seconds = in_turns(runs, rounds, warm=True)
    return {name: ratios(seconds, "ours", name) for name in PEERS}


def peak_mb(shape: Shape) -> float:
    """Measure the peak of our conversion in a process of its own, which converts one batch after the other."""
    with tempfile.TemporaryDirectory() as folder:
        work = make_work(shape, Path(folder, "lake"))
        batches = Path(folder, "batches.json")
        batches.write_text(json.dumps([batch.to_json() for batch in work.batches]))
        command = [sys.executable, "-c", _MEASURED, str(batches), str(work.folder), str(Path(folder, "out"))]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(done.stdout)


_MEASURED = """
import json, sys
from pathlib import Path
from sluice.contracts.load import load_registry
from sluice.conversion.batches import Converter
from sluice.conversion.model import Batch
from tests.bench.folder import Folder
from tests.bench.memory import own_peak_mb
batches, source, target = map(Path, sys.argv[1:])
converter = Converter(load_registry(), Folder(source, target))
for batch in json.loads(batches.read_text()):
    converter.convert(Batch.from_json(batch))
print(own_peak_mb())
"""


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
    rows = [json.loads(line) for line in work.lines().splitlines()]
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


def bench_conversion(result: Result, shapes: Iterable[str] = SHAPES) -> None:
    """Measure everything there is of conversion."""
    for name in shapes:
        for peer, times in measure(SHAPES[name], ROUNDS if name == "large" else _FEWER_ROUNDS).items():
            result.ratio(f"convert/{peer}" if name == "large" else f"convert_{name}/{peer}", times)
    result.figure("convert_rss_mb", peak_mb(SHAPES["large"]))
    result.leave_out("convert_small_objects/pyspark", "it is too large to install: it was not there after 100 s")


if __name__ == "__main__":
    bench_conversion(Result(), sys.argv[1:] or SHAPES)
