"""Metrics are lines of the log in CloudWatch's own format."""

import json
from typing import Any

import pytest

from sluice.observability.metrics import PLATFORM_METRICS, Metric
from sluice.observability.metrics_cloudwatch import LambdaFunction, MetricsEmitter
from sluice.pipelines import PIPELINES
from sluice.vendor_exports.metrics import FILES_COPIED, FILES_MISSING
from tests.support.lambda_context import Context

Capture = pytest.CaptureFixture[str]
METRICS = dict.fromkeys((*PLATFORM_METRICS, *(metric for pipeline in PIPELINES for metric in pipeline.metrics)))


@pytest.fixture
def emitter(monkeypatch: pytest.MonkeyPatch) -> MetricsEmitter:
    monkeypatch.setenv("STAGE", "int")
    monkeypatch.setenv("PIPELINE", "vendor_exports")
    return MetricsEmitter()


def test_a_call_is_one_line_and_the_first_of_a_process_a_cold_start(emitter: MetricsEmitter, capsys: Capture) -> None:
    for value in (3, 4):
        emitter.publish(lambda count: emitter.add(FILES_COPIED, count))(value)
    first, second = _lines(capsys)
    assert (first["ColdStarts"], first["FilesCopied"]) == ([1], [3])
    assert second["FilesCopied"] == [4]
    assert "ColdStarts" not in second
    (directive,) = first["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Sluice"
    assert directive["Dimensions"] == [["stage", "pipeline"]]
    assert (first["stage"], first["pipeline"]) == ("int", "vendor_exports")
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "ColdStarts": "Count",
        "FilesCopied": "Count",
    }


@pytest.mark.usefixtures("emitter")
def test_a_function_logs_with_the_context_of_a_call_and_emits_its_metrics(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "copies")
    function = LambdaFunction()

    @function.observe
    def handler(event: dict[str, int], _context: Context) -> None:
        function.logger.info("copied")
        function.emitter.add(FILES_COPIED, event["files"])

    handler({"files": 3}, Context())
    logged, metrics = _lines(capsys)
    assert (logged["message"], logged["service"]) == ("copied", "copies")
    assert (logged["function_name"], logged["function_request_id"]) == (Context.function_name, Context.aws_request_id)
    assert "cold_start" in logged
    assert metrics["FilesCopied"] == [3]


def test_what_was_counted_before_a_failure_stays(emitter: MetricsEmitter, capsys: Capture) -> None:
    def fail() -> None:
        emitter.add(FILES_COPIED, 1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        emitter.publish(fail)()
    (line,) = _lines(capsys)
    assert line["FilesCopied"] == [1]


def test_a_rare_metric_with_nothing_to_count_is_free(emitter: MetricsEmitter, capsys: Capture) -> None:
    emitter.add(FILES_MISSING, 0)
    emitter.flush()
    assert _lines(capsys) == []
    emitter.add(FILES_MISSING, 2)
    emitter.flush()
    assert [line["FilesMissing"] for line in _lines(capsys)] == [[2]]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_cloudwatch_knows_the_unit_of_every_metric(metric: Metric, emitter: MetricsEmitter, capsys: Capture) -> None:
    emitter.add(metric, 1)
    emitter.flush()
    assert [line[metric.name] for line in _lines(capsys)] == [[1]]


def _lines(capsys: Capture) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]
