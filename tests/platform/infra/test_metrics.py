"""The catalogue of metrics against the code that emits them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from sluice.event_files.validate.validation import Outcome
from sluice.observability import metrics
from sluice.observability.metrics import METRICS, Metric
from tests.support.synthesis import ROOT

CONSTANTS = {name: value for name, value in vars(metrics).items() if isinstance(value, Metric)}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_of_the_catalogue_is_emitted_by_a_function(metric: Metric) -> None:
    by_the_meter = {metrics.COLD_STARTS}
    assert metric in by_the_meter or any(metric in _added_by(tree) for tree in _trees())


def test_no_two_metrics_share_a_name() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS) == len(CONSTANTS)


def _trees() -> Iterator[ast.Module]:
    for source in [*ROOT.glob("functions/*/*/handler.py"), *ROOT.glob("layers/sluice/**/*.py")]:
        yield ast.parse(source.read_text())


def _added_by(tree: ast.Module) -> set[Metric]:
    """What is handed to a meter: the metrics a module with one names, or all that an invocation's totals hold."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    if not any(isinstance(call.func, ast.Attribute) and call.func.attr == "add" for call in calls):
        return set()
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    totals = any(isinstance(call.func, ast.Attribute) and call.func.attr == "totals" for call in calls)
    return {CONSTANTS[name] for name in names & CONSTANTS.keys()} | (set(Outcome().totals()) if totals else set())
