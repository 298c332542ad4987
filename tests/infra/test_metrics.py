"""The catalogue of metrics against the code that emits them."""

from __future__ import annotations

import ast

import pytest

from sluice.events.validation import Outcome
from sluice.watching import metrics
from sluice.watching.metrics import METRICS, Metric
from tests.infra.handler_source import handler_of
from tests.infra.synthesis import ROOT

CONSTANTS = {name: value for name, value in vars(metrics).items() if isinstance(value, Metric)}
FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_of_the_catalogue_is_emitted_by_a_function(metric: Metric) -> None:
    by_the_meter = {metrics.COLD_STARTS}
    assert metric in by_the_meter or any(metric in _emitted_by(folder) for folder in FOLDERS)


def test_no_two_metrics_share_a_name() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS) == len(CONSTANTS)


def _emitted_by(folder: str) -> set[Metric]:
    """What a handler hands to a meter: by the name of the metric, or all that an invocation's totals hold."""
    calls = [node for node in ast.walk(handler_of(folder)) if isinstance(node, ast.Call)]
    added = [call.args[0] for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == "add"]
    named = {CONSTANTS[name.id] for name in added if isinstance(name, ast.Name) and name.id in CONSTANTS}
    totals = any(isinstance(name, ast.Name) and name.id == "metric" for name in added)
    return named | (set(Outcome().totals()) if totals else set())
