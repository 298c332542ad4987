"""What can go wrong with the profiling search, and what a person then does."""

from __future__ import annotations

from infra.platform.observability import saved_queries as saved
from infra.platform.observability.alarms import Advice, Alarms, Periods
from infra.platform.observability.console import function_page
from infra.platform.observability.measures import QUARTER, own
from infra.platform.search import ProfilingSearch
from sluice.observability import metrics
from sluice.observability.metrics import Pipeline

_UNTIL_THE_NEXT_LOADS = Periods(1, 4)
"""What was not loaded stays in sight for an hour, in which the next runs try again."""


def raise_on_search(alarms: Alarms, search: ProfilingSearch) -> None:
    """Raise an alarm when the cluster does not hold every run."""
    incomplete = Advice(
        meaning="The search cluster did not take the profiling log of a run, or not all of it. The tables are whole, "
        "the next runs try again.",
        steps=(
            "Read the last lines of load_search: `trouble` is what the cluster said, `refused` what it will not take.",
            "Does the cluster answer, has it room, does it let the function's role in?",
            "Mended: it catches up by itself. Documents were refused? Load them again as the runbook says.",
        ),
        console=function_page(search.load),
        query=saved.name(alarms.stage, saved.ERRORS),
    )
    failed = own(alarms.stage, metrics.SEARCH_FAILED, Pipeline.EVENT_FILES, "Maximum", QUARTER)
    alarms.above("SearchIncomplete", failed, 0, incomplete, periods=_UNTIL_THE_NEXT_LOADS)
