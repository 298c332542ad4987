"""Measured ratios and figures, written to a file and the terminal, and the targets they are to reach."""

import json
import operator
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.timing import WITHHELD, Spread, Stopwatch


@dataclass(slots=True)
class Result:
    """Ratios: how many times as fast as others ours is. Figures: everything else, the unit in the name.

    Spreads: those of figures that have one. Not measured: what else there is to compare with, and why it was not.
    """

    ratios: dict[str, Spread] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    spreads: dict[str, Spread] = field(default_factory=dict)
    not_measured: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Print that a part begins, how long it took, and how much of the machine was withheld from it; keep both."""
        _print(f"\n{name}")
        watch = Stopwatch()
        yield
        seconds, withheld = watch.seconds(), watch.withheld()
        self.keep(f"bench_s/{name}", seconds)
        self.keep(f"withheld_share/{name}", withheld)
        _print(f"{name}: {seconds:.0f} s, {WITHHELD.format(withheld)}")

    def ratio(self, name: str, value: Spread) -> None:
        """Keep and print a ratio."""
        self.ratios[name] = value
        _print(f"{name:32} {value.median:10,.2f} times as fast ({value.min:.2f} to {value.max:.2f})")

    def figure(self, name: str, value: float | Spread) -> None:
        """Keep and print a figure; of rounds it is the median."""
        if isinstance(value, Spread):
            self.spreads[name] = value
            value = value.median
        self.keep(name, value)
        _print(f"{name:32} {value:10,.2f}")

    def keep(self, name: str, value: float) -> None:
        """Keep a figure without printing it."""
        self.figures[name] = value

    def leave_out(self, name: str, why: str) -> None:
        """Keep and print a measurement that is left out, and why."""
        self.not_measured[name] = why
        _print(f"{name:32} not measured: {why}")

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        path.write_text(json.dumps(self.to_json(), indent=2) + "\n")

    def to_json(self) -> dict[str, Any]:
        """Return everything with the machine and the date."""
        return {
            "machine": machine(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "ratios": {name: asdict(value) for name, value in self.ratios.items()},
            "figures": self.figures,
            "spreads": {name: asdict(value) for name, value in self.spreads.items()},
            "not_measured": self.not_measured,
        }

    def add(self, path: Path) -> None:
        """Add the result of another process."""
        written = json.loads(path.read_text())
        self.ratios |= {name: Spread(**value) for name, value in written["ratios"].items()}
        self.spreads |= {name: Spread(**value) for name, value in written["spreads"].items()}
        self.figures |= written["figures"]
        self.not_measured |= written["not_measured"]


def machine() -> str:
    """Name the machine: processor, how many of it, and the Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor()
    return f"{len(models) or '?'} x {processor}, {platform.system()}, Python {platform.python_version()}"


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@dataclass(frozen=True, slots=True)
class Target:
    """At least or at most so much."""

    sign: str
    value: float

    def is_met(self, measured: float) -> bool:
        return _SIGNS[self.sign](measured, self.value)

    def __str__(self) -> str:
        return f"{self.sign} {self.value:,g}"


_SIGNS: Mapping[str, Callable[[float, float], bool]] = {">=": operator.ge, "<=": operator.le, "<": operator.lt}

TARGETS: Mapping[str, Target] = {
    "validate_mb_s": Target(">=", 200),
    "validate_events_s": Target(">=", 50_000),
    "validate/original": Target(">=", 80),
    "validate/jsonschema": Target(">=", 12),
    "validate/fastjsonschema": Target(">=", 2.5),
    "validate_one_file_rss_mb": Target("<=", 400),
    "hostile_slowest_mb_s": Target(">=", 10),
    "hostile_worst_growth": Target("<=", 1.5),
    "convert/awswrangler": Target(">=", 2),
    "convert/duckdb": Target(">=", 1),
    "convert/arro3": Target(">=", 1),
    "convert/polars": Target(">=", 1),
    "convert_small_objects/pyspark": Target(">=", 10),
    "convert/bound": Target(">=", 0.6),
    "convert_rss_mb": Target("<=", 350),
    "whole_mb_s": Target(">=", 80),
    "latency_p50_s": Target("<", 1),
    "latency_p99_s": Target("<", 5),
    "convert_overhead_s": Target("<", 5),
    "cold_start/validate_files/layers_mb": Target("<=", 25),
    "cold_start/convert_batch/layers_mb": Target("<=", 100),
    "cold_start/validate_files/modules": Target("<=", 350),
    "usd_per_million_burst": Target("<", 3),
    "growth_worst": Target("<=", 1.5),
    "growth_memory_worst": Target("<=", 1.5),
    "bench_s": Target("<", 900),
}
"""By name of ratio or figure; per byte or unit of work, half as much again is noise, not growth."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target, what was measured of it, if anything was, and whether that reaches it."""

    name: str
    target: str
    measured: Spread | None
    reached: bool | None

    def __str__(self) -> str:
        """The line on the terminal."""
        start = f"{self.name:36} {self.target:>10}"
        if self.measured is None:
            return f"{start} {'-':>10}  {'':22} not measured"
        spread = f"({self.measured.min:,.2f} to {self.measured.max:,.2f})"
        shown = spread if self.measured.min < self.measured.max else ""
        return f"{start} {self.measured.median:10,.2f}  {shown:22} {'yes' if self.reached else 'NO'}"


def verdicts(result: Result) -> list[Verdict]:
    """Judge every target."""
    measured = {name: Spread(value, value, value) for name, value in result.figures.items()}
    measured |= result.spreads | result.ratios
    return [
        Verdict(name, str(target), found, target.is_met(found.median) if found else None)
        for name, target, found in ((name, target, measured.get(name)) for name, target in TARGETS.items())
    ]
