"""What watching a stage costs in a month."""

from __future__ import annotations

import pytest

from sluice.watching.metrics import METRICS
from tests.infra.synthesis import Synthesis
from tests.infra.watched import DASHBOARD, Watched, metrics_of_alarm

# List prices in US dollars, us-east-1, a month, no free tier.
DASHBOARD_PRICE, COMPOSITE_PRICE, CUSTOM_METRIC_PRICE, ALARM_METRIC_PRICE = 3.0, 0.5, 0.3, 0.1
BUDGET = 15.0
BAND_METRICS = 2  # the band's two edges are paid for like metrics


def watching(stage: Synthesis) -> dict[str, float]:
    """Dollars a month by what is paid for; metrics that come only when something happens are not counted."""
    watched = Watched(stage)
    alarms = watched.alarms().values()
    bands = sum("ThresholdMetricId" in alarm for alarm in alarms)
    looked_at = sum(len(metrics_of_alarm(alarm)) for alarm in alarms) + BAND_METRICS * bands
    regular = sum(len(metric.pipelines) for metric in METRICS if not metric.rare)
    return {
        "dashboards": DASHBOARD_PRICE * len(stage.watch.of_type(DASHBOARD)),
        "composites": COMPOSITE_PRICE * len(watched.composites()),
        "alarms": ALARM_METRIC_PRICE * looked_at,
        "metrics": CUSTOM_METRIC_PRICE * regular,
    }


def test_watching_a_stage_stays_within_its_budget(stage: Synthesis) -> None:
    assert sum(watching(stage).values()) < BUDGET


def test_what_it_is_made_of(prd: Synthesis) -> None:
    cost = watching(prd)
    assert cost["dashboards"] == 6
    assert cost["composites"] == 1
    assert cost["alarms"] == pytest.approx(3.0)
    assert cost["metrics"] == pytest.approx(4.8)
