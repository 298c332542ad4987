"""Metrics are lines of the log in CloudWatch's own format."""

import json
from typing import Any

import pytest

from sluice.observability.metrics import EVENTS_DIRTY, FILES_COPIED, FILES_MISSING, METRICS, Metric, Pipeline
from sluice.observability.metrics_emitter import Meter


@pytest.fixture
def meter(monkeypatch: pytest.MonkeyPatch) -> Meter:
    monkeypatch.setenv("STAGE", "int")
    monkeypatch.setenv("PIPELINE", "exports")
    return Meter()


def test_a_call_is_one_line_and_only_the_first_of_a_process_is_a_cold_start(
    meter: Meter, capsys: pytest.CaptureFixture[str]
) -> None:
    for value in (3, 4):
        meter.publish(lambda count: meter.add(FILES_COPIED, count))(value)
    first, second = _lines(capsys)
    assert (first["ColdStarts"], first["FilesCopied"]) == ([1], [3])
    assert second["FilesCopied"] == [4]
    assert "ColdStarts" not in second
    (directive,) = first["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Sluice"
    assert directive["Dimensions"] == [["stage", "pipeline"]]
    assert (first["stage"], first["pipeline"]) == ("int", "exports")
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "ColdStarts": "Count",
        "FilesCopied": "Count",
    }


def test_what_was_counted_before_a_failure_is_not_lost(meter: Meter, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        meter.add(FILES_COPIED, 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        meter.publish(fail)()
    (line,) = _lines(capsys)
    assert line["FilesCopied"] == [1]


def test_a_rare_metric_without_anything_to_count_costs_nothing(
    meter: Meter, capsys: pytest.CaptureFixture[str]
) -> None:
    meter.add(FILES_MISSING, 0)
    meter.flush()
    assert _lines(capsys) == []
    meter.add(FILES_MISSING, 2)
    meter.flush()
    assert [line["FilesMissing"] for line in _lines(capsys)] == [[2]]


def test_a_metric_of_another_pipeline_is_refused(meter: Meter) -> None:
    with pytest.raises(ValueError, match="EventsDirty is no metric of exports"):
        meter.add(EVENTS_DIRTY, 1)


def test_a_meter_can_count_for_another_pipeline(meter: Meter, capsys: pytest.CaptureFixture[str]) -> None:
    other = Meter(Pipeline.EVENT_FILES)
    meter.add(FILES_COPIED, 1)
    other.add(EVENTS_DIRTY, 2)
    meter.flush()
    other.flush()
    assert [line["pipeline"] for line in _lines(capsys)] == ["exports", "event_files"]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_cloudwatch_knows_the_unit_of_every_metric(
    metric: Metric, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STAGE", "int")
    monkeypatch.setenv("PIPELINE", "exports")
    meter = Meter(metric.pipelines[0])
    meter.add(metric, 1)
    meter.flush()
    assert [line[metric.name] for line in _lines(capsys)] == [[1]]


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]
