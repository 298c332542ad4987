"""What is to be reached, and whether it was."""

import operator
from collections.abc import Callable, Iterator, Mapping
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
}
"""By name of ratio or figure; per byte or unit of work, half as much again is noise, not growth."""


def verdicts(result: Result) -> Iterator[str]:
    """Yield a line per target."""
    yield f"{'name':36} {'target':>10} {'measured':>10}  {'(min to max)':22} reached"
    for name, target in TARGETS.items():
        measured = _measured(result, name)
        if measured is None:
            yield f"{name:36} {target!s:>10} {'-':>10}  {'':22} not measured"
            continue
        spread = f"({measured.min:,.2f} to {measured.max:,.2f})" if measured.min < measured.max else ""
        reached = "yes" if target.is_met(measured.median) else "NO"
        yield f"{name:36} {target!s:>10} {measured.median:10,.2f}  {spread:22} {reached}"


def _measured(result: Result, name: str) -> Spread | None:
    if spread := result.ratios.get(name) or result.spreads.get(name):
        return spread
    value = result.figures.get(name)
    return None if value is None else Spread(value, value, value)
