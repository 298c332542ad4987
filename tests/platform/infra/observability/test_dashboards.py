"""Dashboards and saved queries."""

import itertools
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from sluice.contracts.load import load_registry
from sluice.contracts.model import SYSTEM_TABLES
from sluice.event_files.ledger.model import Reason
from tests.platform.infra.observability.observability_template import (
    DASHBOARD,
    QUERY,
    ObservabilityTemplate,
    metrics_of_widget,
    wrong,
)
from tests.support.cloudwatch.series import Metric
from tests.support.stages import FEATURE
from tests.support.synthesis import Synthesis

KINDS = {"metric", "log", "alarm", "text"}
Boards = dict[str, list[dict[str, Any]]]
"""Widgets by dashboard."""
QUERIES = {"dirty reasons by source", "slowest files", "one run by id", "cold starts", "duplicates skipped"}


@pytest.fixture
def template(stage: Synthesis) -> ObservabilityTemplate:
    return ObservabilityTemplate(stage)


@pytest.fixture
def boards(template: ObservabilityTemplate) -> Boards:
    found = defaultdict(list)
    for board, widget in template.widgets():
        found[board.removeprefix(f"{template.stage.stack_name}-")].append(widget)
    return found


def test_two_dashboards_of_known_widgets(boards: Boards) -> None:
    assert boards.keys() == {"Business", "Operations"}
    for widgets in boards.values():
        assert {widget["type"] for widget in widgets} == KINDS


def test_widgets_fill_the_grid_and_do_not_overlap(boards: Boards) -> None:
    for widgets in boards.values():
        cells = [cell for widget in widgets for cell in _cells(widget)]
        assert len(cells) == len(set(cells)), "two widgets in one place"
        assert max(column for column, _ in cells) <= 23
        tops = {widget["y"] for widget in widgets}
        assert all((0, top) in cells for top in tops), "every row begins at the left"


def test_the_first_rows_are_alarms_and_figures(boards: Boards, template: ObservabilityTemplate) -> None:
    for widgets in boards.values():
        first, *others = widgets
        assert first["type"] == "alarm"
        assert all(
            template.type_of(alarm).startswith("AWS::CloudWatch::") for alarm in first["properties"]["alarms"]
        ), "its alarms exist"
        figures = [widget for widget in others if widget["y"] == first["height"]]
        assert {widget["properties"]["view"] for widget in figures} == {"singleValue"}
    every = {alarm for widgets in boards.values() for alarm in widgets[0]["properties"]["alarms"]}
    assert len(every) == len(template.alarms()) + len(template.composites())


def test_every_metric_is_one_that_somebody_emits(boards: Boards, template: ObservabilityTemplate) -> None:
    shown = [metric for widgets in boards.values() for widget in widgets for metric in metrics_of_widget(widget)]
    assert len(shown) > 100
    assert [wrong(metric, template) for metric in shown if wrong(metric, template)] == []


@pytest.mark.parametrize(
    "metric",
    [
        Metric.of("Sluice", "FilesValidated", {"stage": "dev", "pipeline": "vendor_exports"}),
        Metric.of("Sluice", "FilesValidated", {"stage": "dev", "pipeline": "event_files", "table": "T"}),
        Metric.of("Sluice", "Unheard", {"stage": "dev", "pipeline": "event_files"}),
        Metric.of("AWS/Lambda", "Unheard", {"FunctionName": "EventFiles/x"}),
        Metric.of("AWS/Lambda", "Errors", {"FunctionName": "EventFiles/x"}),
        Metric.of("AWS/Lambda", "Errors", {"FunctionName": "EventFiles/x", "Resource": "x"}),
        Metric.of("AWS/Unheard", "Errors", {}),
    ],
)
def test_a_metric_nobody_emits_is_found(dev: Synthesis, metric: Metric) -> None:
    assert wrong(metric, ObservabilityTemplate(dev))


def test_a_graph_per_function_with_its_timeout(boards: Boards, stage: Synthesis) -> None:
    limits = {
        widget["properties"]["title"]: widget["properties"]["annotations"]["horizontal"][0]["value"]
        for widget in boards["Operations"]
        if widget["properties"].get("annotations") and _statistics(widget) == {"p50", "p90", "p99"}
    }
    assert limits == {folder: 1000 * properties["Timeout"] for folder, properties in stage.functions()}


def test_the_price_of_the_functions_counts_every_one(boards: Boards, stage: Synthesis) -> None:
    (price,) = [each for each in boards["Operations"] if each["properties"].get("title") == "Functions, $"]
    shown = metrics_of_widget(price)
    functions = len(list(stage.functions()))
    assert [metric.name for metric in shown].count("Invocations") == functions
    assert [metric.name for metric in shown].count("Duration") == functions


def test_every_range_is_eight_hours_unless_one_says_otherwise(stage: Synthesis) -> None:
    for dashboard in stage.observability.of_type(DASHBOARD).values():
        body = ObservabilityTemplate(stage).resolved(dashboard["Properties"]["DashboardBody"])
        assert '"start":"-PT8H"' in body
        assert '"periodOverride":"inherit"' in body


def test_rows_by_table_are_those_of_the_contracts(boards: Boards) -> None:
    (rows,) = [each for each in boards["Business"] if each["properties"].get("title") == "Rows by table"]
    named = set(re.findall(r"sum\(rows\.(\w+)\) as", rows["properties"]["query"]))
    assert named == {table.name for table in load_registry().tables()} - {table.name for table in SYSTEM_TABLES}


def test_saved_queries_by_stage_with_every_reason(template: ObservabilityTemplate) -> None:
    prefix = template.stage.stack_name
    queries = template.queries()
    assert {f"{prefix}/{title}" for title in QUERIES} <= queries.keys()
    dirty = queries[f"{prefix}/dirty reasons by source"]["QueryString"]
    assert all(f"reasons.{reason}" in dirty for reason in Reason)


def test_every_query_reads_logs_that_exist(boards: Boards, template: ObservabilityTemplate) -> None:
    groups = [group for query in template.queries().values() for group in query["LogGroupNames"]]
    asked = [widget["properties"]["query"] for widgets in boards.values() for widget in widgets if _is_query(widget)]
    for query in asked:
        sources = [line for line in query.splitlines() if "SOURCE" in line]
        groups += [part for line in sources for part in line.split("'")[1::2]]
    assert len(asked) >= 6
    assert {template.type_of(group) for group in groups} == {"AWS::Logs::LogGroup"}
    assert all(query["LogGroupNames"] for query in template.queries().values())


def test_a_query_names_no_more_log_groups_than_may_be(template: ObservabilityTemplate) -> None:
    assert max(len(query["LogGroupNames"]) for query in template.queries().values()) <= 50


def test_a_feature_stage_has_none(synthesis_of: Callable[[str], Synthesis]) -> None:
    template = synthesis_of(FEATURE).observability
    assert not template.of_type(DASHBOARD)
    assert not template.of_type(QUERY)


def _cells(widget: dict[str, Any]) -> list[tuple[int, int]]:
    columns = range(widget["x"], widget["x"] + widget["width"])
    return list(itertools.product(columns, range(widget["y"], widget["y"] + widget["height"])))


def _statistics(widget: dict[str, Any]) -> set[str]:
    return {row[-1].get("stat", "") for row in widget["properties"]["metrics"] if isinstance(row[-1], dict)}


def _is_query(widget: dict[str, Any]) -> bool:
    return bool(widget["type"] == "log")
