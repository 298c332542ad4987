"""The metrics that pipelines register against the code that emits them."""

import ast
from functools import cache
from importlib import import_module

import pytest

from sluice.observability.metrics import PLATFORM_METRICS, Metric
from sluice.pipelines import PIPELINES
from tests.support.synthesis import ROOT

LAYERS = ROOT / "layers"
CATALOGUES = sorted((LAYERS / "sluice").rglob("metrics.py"))
METRICS = list(dict.fromkeys([*PLATFORM_METRICS, *(metric for pipeline in PIPELINES for metric in pipeline.metrics)]))


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_registered_metric_is_emitted(metric: Metric) -> None:
    assert _constants()[metric] in _used_names()


def test_no_two_metrics_share_a_name_and_all_are_registered() -> None:
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert _constants().keys() == set(METRICS)


@cache
def _constants() -> dict[Metric, str]:
    """Return the names of the constants that hold metrics."""
    modules = [import_module(".".join(path.relative_to(LAYERS).with_suffix("").parts)) for path in CATALOGUES]
    return {value: name for module in modules for name, value in vars(module).items() if isinstance(value, Metric)}


@cache
def _used_names() -> set[str]:
    """Return the names that handlers and the modules of the layer use, but for the catalogues themselves."""
    sources = [*ROOT.glob("functions/*/*/handler.py"), *(LAYERS / "sluice").rglob("*.py")]
    trees = [ast.parse(path.read_text()) for path in sources if path not in CATALOGUES]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}
