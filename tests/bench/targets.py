"""What is to be reached, and whether it was."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.bench.result import Result
from tests.bench.rounds import Spread


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
    "validate/split_parse": Target(">=", 0.65),
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
    "usd_per_million_burst": Target("<", 4),
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
    return [_verdict(name, target, _measured(result, name)) for name, target in TARGETS.items()]


def _verdict(name: str, target: Target, measured: Spread | None) -> Verdict:
    return Verdict(name, str(target), measured, target.is_met(measured.median) if measured else None)


def _measured(result: Result, name: str) -> Spread | None:
    if spread := result.ratios.get(name) or result.spreads.get(name):
        return spread
    value = result.figures.get(name)
    return None if value is None else Spread(value, value, value)
