"""Validation against its peers, its limit, hostile files and memory."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from tests.bench.corpus import ONE_FILE, make_corpus
from tests.bench.memory import peak_mb
from tests.bench.peers import validators
from tests.bench.result import Result
from tests.bench.timing import in_turns, ratios, spread
from tests.event_files.unit.validate.hostile_files import FILES as HOSTILE

MB = 1e6
_LIMIT_BYTES = 60_000_000
_HOSTILE_BYTES = 500_000
_GROWTH = 4
_HOSTILE_ROUNDS = 3


def bench_validation(corpus: Sequence[bytes], folder: Path, result: Result) -> None:
    """Measure everything there is of validation."""
    _throughput(result, corpus)
    for name, (size, run) in validators.PEERS.items():
        _peer(result, name, validators.sample(corpus, size), run)
    _limit(result, corpus)
    _one_file(result, folder)
    _hostile(result)


def _throughput(result: Result, files: Sequence[bytes]) -> None:
    seconds = in_turns({"ours": partial(validators.ours, files)})["ours"]
    size, events = sum(map(len, files)), sum(map(len, validators.our_verdicts(files)))
    result.figure("validate_mb_s", spread([size / MB / each for each in seconds]))
    result.figure("validate_events_s", spread([events / each for each in seconds]))


def _limit(result: Result, corpus: Sequence[bytes]) -> None:
    files = validators.sample(corpus, _LIMIT_BYTES)
    runs = (validators.ours, validators.split_parse, validators.our_split_check)
    seconds = in_turns({run.__name__: partial(run, files) for run in runs})
    result.ratio("validate/split_parse", ratios(seconds, "ours", "split_parse"))
    result.ratio("validate_limit/split_parse", ratios(seconds, "our_split_check", "split_parse"))


def _peer(
    result: Result, name: str, files: Sequence[bytes], run: Callable[[Sequence[bytes]], validators.Verdicts]
) -> None:
    """Compare the verdicts, event by event, then the time."""
    if run(files) != validators.our_verdicts(files):
        raise AssertionError(f"{name} and ours do not agree on every event")
    seconds = in_turns({"ours": partial(validators.ours, files), name: partial(run, files)}, warm=True)
    result.ratio(f"validate/{name}", ratios(seconds, "ours", name))
    result.figure(f"validate/{name}_sample_mb", sum(map(len, files)) / MB)


def _one_file(result: Result, folder: Path) -> None:
    (data,) = make_corpus(ONE_FILE)
    path = folder / "one_file.json"
    path.write_bytes(data)
    del data
    result.figure("validate_one_file_mb", path.stat().st_size / MB)
    result.figure("validate_one_file_rss_mb", peak_mb("validate", path))


def _hostile(result: Result) -> None:
    """Measure hostile files, and how much slower per byte each gets when it is larger."""
    growth, speeds = [], []
    for name, make in HOSTILE.items():
        small, large = (_seconds_per_byte(make(size)) for size in (_HOSTILE_BYTES, _GROWTH * _HOSTILE_BYTES))
        speeds.append(1 / MB / large)
        growth.append(large / small)
        result.figure(f"hostile/{name}_mb_s", speeds[-1])
    result.figure("hostile_slowest_mb_s", min(speeds))
    result.figure("hostile_worst_growth", max(growth))


def _seconds_per_byte(data: bytes) -> float:
    return min(in_turns({"ours": partial(validators.ours, [data])}, _HOSTILE_ROUNDS)["ours"]) / len(data)
