"""Metrics in lines of a log: CloudWatch's embedded metric format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from tests.support.cloudwatch.series import Metric, Point

_MILLISECONDS = 1000


def points_of(lines: Iterable[str]) -> Iterator[tuple[Metric, Point]]:
    """Every point that CloudWatch would make of the lines; those of another kind count nothing."""
    for line in lines:
        if '"_aws"' in line:
            yield from _points(_document(line))


def _document(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except json.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _points(document: dict[str, Any]) -> Iterator[tuple[Metric, Point]]:
    header = document.get("_aws", {})
    at = header.get("Timestamp", 0) / _MILLISECONDS
    for directive in header.get("CloudWatchMetrics", []):
        for names in directive["Dimensions"]:
            dimensions = {name: str(document[name]) for name in names if name in document}
            for metric in directive["Metrics"]:
                found = document.get(metric["Name"], [])
                for value in found if isinstance(found, list) else [found]:
                    yield Metric.of(directive["Namespace"], metric["Name"], dimensions), Point(at, float(value))
