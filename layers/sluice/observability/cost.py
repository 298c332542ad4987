"""Estimate of what runs cost by list prices, from what their records count."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sluice.observability import prices
from sluice.observability.pipeline import Pipeline
from sluice.observability.prices import Price
from sluice.observability.run_totals import RunTotals

BESIDE_RUNS = (
    "metrics, alarms and dashboards",
    "the idle polling of queues",
    "events of existing buckets on EventBridge",
)
"""Costs that a stage's template tells, not its runs."""

NOT_COUNTED = (
    "the producers' own uploads",
    "logs and traces",
    *BESIDE_RUNS,
    "queries of Athena",
    "storage of what was there before, access logs, replaced versions",
    "data transfer",
    "secrets and schedules",
    "the mart's work and storage",
    "a search cluster",
    "free tiers and discounts",
)
"""Costs that the estimate from runs leaves out."""

_STATE_GB_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class CostItem:
    """A line of the estimate: so many units at a price."""

    price: Price
    quantity: float

    @property
    def dollars(self) -> float:
        """Cost of the quantity."""
        return self.price.of(self.quantity)


@dataclass(frozen=True, slots=True)
class Cost:
    """The estimate."""

    items: tuple[CostItem, ...]

    @property
    def dollars(self) -> float:
        """Sum of the items."""
        return sum(item.dollars for item in self.items)


def cost_of(totals: RunTotals, pipelines: Iterable[Pipeline]) -> Cost:
    """Estimate what runs cost: what each pipeline says they used, and the states they went through."""
    states = sum(totals.states.values())
    of_states = {
        prices.OBJECT_PUT: states,
        prices.FUNCTION_CALL: states,
        prices.FUNCTION_TIME: states * _STATE_GB_SECONDS,
        prices.TRANSITION: states,
    }
    quantities: defaultdict[Price, float] = defaultdict(float)
    for used in (*(pipeline.usage(totals) for pipeline in pipelines), of_states):
        for price, quantity in used.items():
            quantities[price] += quantity
    return Cost(tuple(CostItem(price, quantity) for price, quantity in quantities.items()))


def assumptions(pipelines: Iterable[Pipeline]) -> str:
    """Return the assumptions of the estimate in words."""
    assumed = [pipeline.usage_assumes for pipeline in pipelines if pipeline.usage_assumes]
    return ", ".join([*assumed, "and storage for the month that follows"])
