"""Growth of time and memory with the work: more files, more events in a file, more contracts.

PYTHONPATH=.:layers build/bench/venv/bin/python -m tests.bench.growth
"""

import itertools
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from sluice.contracts.model import Contract, Registry
from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.event_processor import EventProcessors
from sluice.event_files.validate.routing import FileRouting
from sluice.lake.object_store import ObjectStore
from tests.bench.clean_lines import Folder
from tests.bench.corpus import Shape, make_corpus
from tests.bench.local_validation import REGISTRY, Read
from tests.bench.memory import peak_mb
from tests.bench.result import Result
from tests.bench.tables import to_tables
from tests.bench.timing import in_turns
from tests.support.memory_object_store import MemoryObjectStore

_FILE = 20_000
_ROUNDS = 5
_NOISE_MB = 4.0  # peaks of one and the same case differ by that much
_NEVER_FULL = 1 << 40


class Place(NamedTuple):
    """Source of files, and lake that they are written to."""

    keys: Sequence[str]
    read: Read
    lake: ObjectStore


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of growth: its sizes, the files of a size, and the work done with them."""

    sizes: Sequence[int]
    files: Callable[[int], Sequence[bytes]]
    prepare: Callable[[int], Callable[[Place], object]]

    def run(self, size: int, place: Place) -> None:
        self.prepare(size)(place)


def bench_growth(result: Result) -> None:
    """Measure each axis: neither time nor memory may grow faster than the work."""
    steps: dict[str, list[float]] = {"growth_worst": [], "growth_memory_worst": []}
    sys.stdout.write(f"{'':10} {'size':>6} {'seconds':>10} {'per unit':>10} {'peak MB':>10} {'MB per unit more':>18}\n")
    for name, axis in AXES.items():
        corpora = {size: axis.files(size) for size in axis.sizes}
        seconds, peaks = _seconds(axis, corpora), _peaks(name, corpora)
        times, memory = per_unit(seconds), per_unit_more(peaks)
        for size in axis.sizes:
            more = f"{memory[size]:18.4f}" if size in memory else ""
            sys.stdout.write(
                f"{name:10} {size:6} {seconds[size]:10.4f} {times[size]:10.4f} {peaks[size]:10.1f} {more}\n"
            )
            result.keep(f"growth/{name}/{size}", times[size])
            result.keep(f"growth_memory/{name}/{size}", peaks[size])
        sys.stdout.flush()
        steps["growth_worst"].append(steepest(times))
        steps["growth_memory_worst"].append(steepest(memory))
    for figure, worst in steps.items():
        result.figure(figure, max(worst))


def per_unit(seconds: Mapping[int, float]) -> dict[int, float]:
    """Tell what a unit of work takes, as a multiple of what it takes in the smallest case."""
    smallest = min(seconds)
    unit = seconds[smallest] / smallest
    return {size: value / size / unit for size, value in seconds.items()}


def per_unit_more(peaks: Mapping[int, float]) -> dict[int, float]:
    """Tell what each unit beyond the smallest case takes: imports and what is fixed are in that, and hide nothing."""
    smallest = min(peaks)
    return {
        size: max(peak - peaks[smallest], _NOISE_MB) / (size - smallest)
        for size, peak in peaks.items()
        if size > smallest
    }


def steepest(values: Mapping[int, float]) -> float:
    """Tell the largest step from a size to the next: 1 is linear."""
    return max(more / less for less, more in itertools.pairwise(values[size] for size in sorted(values)))


def in_memory(files: Sequence[bytes]) -> Place:
    """Everything in memory, so that time is that of the work."""
    return Place([str(number) for number in range(len(files))], lambda key: files[int(key)], MemoryObjectStore())


def on_disk(folder: Path) -> Place:
    """Everything on disk, so that memory is that of the work."""
    keys = [str(path) for path in sorted((folder / "files").iterdir())]
    return Place(keys, lambda key: Path(key).read_bytes(), Folder(folder, folder))


def _seconds(axis: Axis, corpora: Mapping[int, Sequence[bytes]]) -> dict[int, float]:
    def run(work: Callable[[Place], object], files: Sequence[bytes]) -> None:
        work(in_memory(files))

    runs = {str(size): partial(run, axis.prepare(size), files) for size, files in corpora.items()}
    return {int(size): min(each) for size, each in in_turns(runs, _ROUNDS).items()}


def _peaks(axis: str, corpora: Mapping[int, Sequence[bytes]]) -> dict[int, float]:
    peaks = {}
    for size, files in corpora.items():
        with tempfile.TemporaryDirectory() as folder:
            written = Folder(Path(folder), Path(folder))
            written.write_all({f"files/{number:06}": data for number, data in enumerate(files)})
            peaks[size] = peak_mb("grow", axis, str(size), folder)
    return peaks


_corpus = cache(make_corpus)


def _one_file(events: int) -> list[bytes]:
    singles = (data for data in _corpus(Shape(1_000_000, 1_000, 0, 0)) if data)
    return [b"".join(itertools.islice(singles, events))]


def _among_more(times: int) -> Callable[[Place], object]:
    """As often the same files as there are contracts, none of whose copies has events: the work is the contracts."""
    copies = [_copy(contract, number) for number in range(1, times) for contract in REGISTRY.contracts]
    registry = Registry(REGISTRY.families, (*REGISTRY.contracts, *copies))
    gates = EventProcessors(registry, lambda _lib, _id: None)
    for contract in registry.contracts:
        gates[contract.table]
    return partial(_route, gates, times)


def _route(gates: EventProcessors, times: int, place: Place) -> None:
    for key in itertools.chain.from_iterable(itertools.repeat(place.keys, times)):
        FileRouting(gates, SourceObject("bench", key, "etag")).route(place.read(key), _NEVER_FULL, lambda _lines: None)


def _copy(contract: Contract, number: int) -> Contract:
    services = tuple(f"{service}-{number}" for service in contract.services)
    return replace(contract, table=f"{contract.table}_{number}", services=services)


AXES: Mapping[str, Axis] = {
    "files": Axis(
        (10, 100, 1_000),
        lambda count: make_corpus(Shape(count * _FILE, count)),
        lambda _: lambda place: to_tables(*place),
    ),
    "events": Axis((1, 10, 100, 1_000), _one_file, lambda _: _among_more(1)),
    "contracts": Axis((1, 10, 100), lambda _: _corpus(Shape(500_000, 10)), _among_more),
}

if __name__ == "__main__":
    bench_growth(Result())
