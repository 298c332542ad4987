"""Fixed costs of observability in a month."""

import pytest

from cli.platform.cost import fixed_cost
from tests.support.synthesis import Synthesis

BUDGET = 25.0


def observing(stage: Synthesis) -> dict[str, float]:
    """Dollars a month by what is paid for; metrics that come only when something happens are not counted."""
    cost: dict[str, float] = {}
    for item in fixed_cost(stage.observability.body["Resources"].values()).items:
        cost[item.price.service] = cost.get(item.price.service, 0.0) + item.dollars
    return cost


def test_observability_stays_within_its_budget(stage: Synthesis) -> None:
    assert sum(dollars for service, dollars in observing(stage).items() if service.startswith("CloudWatch")) < BUDGET


def test_what_it_is_made_of(prd: Synthesis) -> None:
    assert observing(prd) == pytest.approx(
        {
            "CloudWatch dashboards": 6.0,
            "CloudWatch composite alarms": 2.5,
            "CloudWatch alarms": 6.0,  # over 58 metrics and the two edges of a band
            "CloudWatch metrics": 9.6,
            "SQS": 0.2592,  # Lambda asks the queue of ends of runs
        }
    )
