"""The whole: files to committed chunks to tables, through the real use cases; and how it grows with the work."""

import io
import itertools
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pyarrow.parquet as pq

from sluice.contracts.model import Contract, Registry
from sluice.conversion.batches import Converter
from sluice.conversion.committing import Summary, commit, read_plan
from sluice.conversion.planning import Planning
from sluice.conversion.profiling import publish_profile
from sluice.events.model import SourceObject
from sluice.events.routing import FileRouting, Gates
from sluice.layout import table_prefix
from tests.bench import original, validators
from tests.bench.corpus import Shape, make_corpus
from tests.bench.local import REGISTRY, validate
from tests.bench.result import Result
from tests.bench.rounds import in_turns, ratios, spread
from tests.bench.validators import sample
from tests.unit.conversion.memory import MemoryFiles, MemoryLedger

MB = 1e6
_BATCH_BYTES = 32 << 20  # as a stage has it
_NOW = datetime(2026, 1, 1, tzinfo=UTC)
_FILE = 20_000
_STEPS = (1, 10, 100)
_EVENTS = (1, 10, 100, 1_000)
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
    lake, theirs = MemoryFiles(), original.to_tables(files)
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
        if key.startswith(table_prefix(table)):
            hour = key.removeprefix(table_prefix(table)).rpartition("/")[0]
            found = pq.ParquetFile(io.BytesIO(body)).read(names).to_pylist()
            rows.update(json.dumps([hour, row], sort_keys=True) for row in found)
    return rows


def _to_tables(files: Sequence[bytes], lake: MemoryFiles | None = None) -> Mapping[str, int]:
    lake = lake or MemoryFiles()
    ledger = validate([str(number) for number in range(len(files))], lambda key: files[int(key)], lake)
    return _convert(lake, ledger).rows


def _convert(lake: MemoryFiles, ledger: MemoryLedger) -> Summary:
    """Plan, convert each batch, commit and profile, as the machine does."""
    planned = Planning(ledger, lake, _NothingElseRuns(), _BATCH_BYTES).plan("bench", "run", _NOW, "token")
    plan = read_plan(lake, planned.plan_key or "")
    converter = Converter(REGISTRY, lake)
    for batch in plan.batches:
        converter.convert(batch)
    summary = commit(plan, lake, ledger)
    publish_profile(plan, lake, ledger)
    return summary


class _NothingElseRuns:
    """No other execution is going on."""

    def is_running(self, _execution: str) -> bool:
        return False


def bench_growth(result: Result) -> None:
    """Measure time per unit of work as the work grows: it must not grow with it."""
    worst: list[float] = []
    for axis, cases in (("files", _by_files()), ("events", _by_events()), ("contracts", _by_contracts())):
        runs = dict(cases)
        seconds = {size: min(each) / size for size, each in _seconds(runs).items()}
        growth = {size: each / seconds[min(seconds)] for size, each in seconds.items()}
        worst += [more / less for less, more in itertools.pairwise(growth.values())]
        for size, each in growth.items():
            result.figure(f"growth/{axis}/{size}", each)
    result.figure("growth_worst", max(worst))


def _seconds(runs: dict[int, Callable[[], object]]) -> dict[int, list[float]]:
    measured = in_turns({str(size): run for size, run in runs.items()}, _ROUNDS)
    return {int(size): each for size, each in measured.items()}


def _by_files() -> Iterator[tuple[int, Callable[[], object]]]:
    """Files of the same size, more and more of them."""
    for files in (each * 10 for each in _STEPS):
        yield files, partial(_to_tables, make_corpus(Shape(files * _FILE, files)))


def _by_events() -> Iterator[tuple[int, Callable[[], object]]]:
    """One file, with more and more events."""
    events = [data for data in make_corpus(Shape(1_000_000, 1_000, 0, 0)) if data][: max(_EVENTS)]
    for count in _EVENTS:
        yield count, partial(validators.ours, [b"".join(events[:count])])


def _by_contracts() -> Iterator[tuple[int, Callable[[], object]]]:
    """The same events among more and more contracts; the work is the contracts, so none is worth nothing."""
    files = make_corpus(Shape(1_000_000, 10))
    for times in _STEPS:
        gates = Gates(_many(times), lambda _lib, _id: None)
        yield times, partial(_route, gates, files * times)


def _route(gates: Gates, files: Sequence[bytes]) -> None:
    for number, data in enumerate(files):
        FileRouting(gates, SourceObject("bench", str(number), "etag")).route(data, 1 << 40, lambda _lines: None)


def _many(times: int) -> Registry:
    """The registry, with copies of its contracts under other names."""
    copies = [_copy(contract, number) for number in range(1, times) for contract in REGISTRY.contracts]
    return Registry(REGISTRY.families, (*REGISTRY.contracts, *copies), REGISTRY.system_tables)


def _copy(contract: Contract, number: int) -> Contract:
    services = tuple(f"{service}-{number}" for service in contract.services)
    return replace(contract, table=f"{contract.table}_{number}", services=services)
