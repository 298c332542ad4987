"""Validation against its peers, its limit, hostile files and memory."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from time import perf_counter

from tests.bench import validators
from tests.bench.corpus import ONE_FILE, TINY_EVENTS, make_corpus
from tests.bench.memory import peak_mb
from tests.bench.result import Result
from tests.bench.rounds import in_turns, ratios, spread
from tests.unit.events.hostile import FILES as HOSTILE

MB = 1e6
_LIMIT_BYTES = 60_000_000
_HOSTILE_BYTES = 500_000
_GROWTH = 4


def bench_validation(corpus: Sequence[bytes], folder: Path, result: Result) -> None:
    """Measure everything there is of validation."""
    _throughput(result, "validate", corpus)
    _limit(result, corpus)
    for name, (size, run) in validators.PEERS.items():
        _peer(result, name, validators.sample(corpus, size), run)
    _throughput(result, "validate_tiny_events", make_corpus(TINY_EVENTS))
    _one_file(result, folder)
    _hostile(result)


def _throughput(result: Result, name: str, files: Sequence[bytes]) -> None:
    seconds = spread(in_turns({"ours": partial(validators.ours, files)})["ours"]).median
    events = sum(map(len, validators.our_verdicts(files)))
    result.figure(f"{name}_mb_s", sum(map(len, files)) / MB / seconds)
    result.figure(f"{name}_events_s", events / seconds)


def _limit(result: Result, corpus: Sequence[bytes]) -> None:
    files = validators.sample(corpus, _LIMIT_BYTES)
    runs: dict[str, Callable[[], object]] = {
        "ours": partial(validators.ours, files),
        "split_parse": partial(validators.split_parse, files),
        "our_split": partial(validators.our_split, files),
    }
    seconds = in_turns(runs)
    result.ratio("validate/split_parse", ratios(seconds, "ours", "split_parse"))
    result.ratio("validate/our_split", ratios(seconds, "ours", "our_split"))


def _peer(
    result: Result, name: str, files: Sequence[bytes], run: Callable[[Sequence[bytes]], validators.Verdicts]
) -> None:
    """Compare the verdicts, event by event, then the time."""
    if run(files) != validators.our_verdicts(files):
        raise AssertionError(f"{name} and ours do not agree on every event")
    seconds = in_turns({"ours": partial(validators.ours, files), name: partial(run, files)})
    result.ratio(f"validate/{name}", ratios(seconds, "ours", name))
    result.figure(f"validate/{name}_sample_mb", sum(map(len, files)) / MB)


def _one_file(result: Result, folder: Path) -> None:
    (data,) = make_corpus(ONE_FILE)
    path = folder / "one_file.json"
    path.write_bytes(data)
    del data
    result.figure("validate_one_file_mb", path.stat().st_size / MB)
    result.figure("validate_one_file_rss_mb", peak_mb("validate", path))
    result.figure("validate_imports_rss_mb", peak_mb("idle", path))


def _hostile(result: Result) -> None:
    """Measure hostile files, and how much slower per byte each gets when it is larger."""
    growth = []
    for name, make in HOSTILE.items():
        per_byte = [_seconds_per_byte(make(size)) for size in (_HOSTILE_BYTES, _GROWTH * _HOSTILE_BYTES)]
        result.figure(f"hostile/{name}_mb_s", 1 / MB / per_byte[1])
        growth.append(per_byte[1] / per_byte[0])
    result.figure("hostile_worst_growth", max(growth))


def _seconds_per_byte(data: bytes) -> float:
    began = perf_counter()
    validators.ours([data])
    return (perf_counter() - began) / len(data)
