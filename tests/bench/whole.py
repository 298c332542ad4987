"""The whole: files to committed chunks to tables, through the real use cases, beside the original's chain of steps."""

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial

import pyarrow.parquet as pq

from sluice.lake.object_store import table_prefix
from tests.bench.local_validation import REGISTRY
from tests.bench.peers import original, validators
from tests.bench.peers.validators import sample
from tests.bench.result import Result
from tests.bench.tables import to_tables
from tests.bench.timing import in_turns, ratios, spread
from tests.support.memory_object_store import MemoryObjectStore

MB = 1e6
_ROUNDS = 3
_ORIGINAL_BYTES = 4_000_000  # it takes seconds for them


def bench_whole(corpus: Sequence[bytes], result: Result) -> None:
    """Measure files to tables; the rows of every table are those that validation found clean."""
    verdicts = Counter(verdict for file in validators.our_verdicts(corpus) for verdict in file)
    rows = _to_tables(corpus)
    if rows != {table: count for table, count in verdicts.items() if table not in {"dirty", "unrelated"}}:
        raise AssertionError("the tables do not hold what was found clean")
    seconds = in_turns({"whole": partial(_to_tables, corpus)}, _ROUNDS)["whole"]
    result.figure("whole_mb_s", spread([sum(map(len, corpus)) / MB / each for each in seconds]))
    _beside_the_original(sample(corpus, _ORIGINAL_BYTES), result)


def _beside_the_original(files: Sequence[bytes], result: Result) -> None:
    """Compare the tables, value for value, then the time."""
    lake, theirs = MemoryObjectStore(), original.to_tables(files)
    _to_tables(files, lake)
    for table in original.TABLES:
        if rows_of(lake.objects, table) != rows_of(theirs, table):
            raise AssertionError(f"{table}: the original wrote something else")
    seconds = in_turns({"ours": partial(_to_tables, files), "original": partial(original.to_tables, files)})
    result.ratio("whole/original", ratios(seconds, "ours", "original"))
    result.figure("whole/original_sample_mb", sum(map(len, files)) / MB)


def rows_of(lake: Mapping[str, bytes], table: str) -> Counter[str]:
    """Read a table's rows, each with the hour it is filed under; what only ours has, the way back, is left out."""
    names = [column.name for column in REGISTRY.contract(table).columns]
    rows: Counter[str] = Counter()
    for key, body in lake.items():
        if key.startswith(f"{table_prefix(table)}year="):
            hour = key.removeprefix(table_prefix(table)).rpartition("/")[0]
            found = pq.ParquetFile(io.BytesIO(body)).read(names).to_pylist()
            rows.update(json.dumps([hour, row], sort_keys=True) for row in found)
    return rows


def _to_tables(files: Sequence[bytes], lake: MemoryObjectStore | None = None) -> Mapping[str, int]:
    keys = [str(number) for number in range(len(files))]
    return to_tables(keys, lambda key: files[int(key)], lake or MemoryObjectStore()).rows
