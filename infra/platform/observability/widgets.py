"""Parts of dashboards, in the widths of a 24 column grid."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_cloudwatch as cloudwatch

from infra.platform.functions import PythonFunction
from infra.platform.observability.saved_queries import Query

WHOLE, HALF, THIRD, QUARTER_WIDTH = 24, 12, 8, 6
PERCENTILES = ("p50", "p90", "p99")
_HEIGHT = 6

Row = Sequence[cloudwatch.IWidget]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panels:
    """Parts of dashboards that a pipeline adds: figures for their first rows, and rows."""

    business_figures: Row = ()
    business: Sequence[Row] = ()
    operations_figures: Row = ()
    operations: Sequence[Row] = ()


def heading(text: str) -> cloudwatch.IWidget:
    """Return a title of the rows below."""
    return cloudwatch.TextWidget(markdown=f"## {text}", width=WHOLE, height=1)


def states(title: str, alarms: Sequence[cloudwatch.IAlarm]) -> cloudwatch.IWidget:
    """Return the list of alarms, those that are on first."""
    by_state = cloudwatch.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP
    return cloudwatch.AlarmStatusWidget(title=title, alarms=list(alarms), width=WHOLE, height=4, sort_by=by_state)


def value(title: str, metric: cloudwatch.IMetric, *, of_range: bool = True) -> cloudwatch.IWidget:
    """Return one figure: over the whole range that is shown, or the latest."""
    return cloudwatch.SingleValueWidget(
        title=title, metrics=[metric], width=4, height=3, set_period_to_time_range=of_range
    )


def graph(
    title: str,
    metrics: Sequence[cloudwatch.IMetric],
    *,
    width: int = THIRD,
    unit: str = "",
    stacked: bool = False,
    lines: Sequence[cloudwatch.HorizontalAnnotation] = (),
) -> cloudwatch.IWidget:
    """Return a graph from zero; `lines` are limits."""
    return cloudwatch.GraphWidget(
        title=title,
        left=list(metrics),
        left_annotations=list(lines),
        left_y_axis=cloudwatch.YAxisProps(min=0, label=unit or None, show_units=not unit),
        stacked=stacked,
        width=width,
        height=_HEIGHT,
    )


def limit(at: float, label: str) -> cloudwatch.HorizontalAnnotation:
    """Return a line that should not be crossed."""
    return cloudwatch.HorizontalAnnotation(value=at, label=label, color=cloudwatch.Color.RED)


def table(query: Query, functions: Sequence[PythonFunction], *, width: int = HALF) -> cloudwatch.IWidget:
    """Return the results of a query in the range that is shown."""
    return cloudwatch.LogQueryWidget(
        title=query.title.capitalize(),
        log_group_names=query.log_groups(functions),
        query_lines=query.lines,
        view=cloudwatch.LogQueryVisualizationType.TABLE,
        width=width,
        height=_HEIGHT,
    )
