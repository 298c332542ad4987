"""What wakes people, and what does not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.platform.observability.settings import Watch
from infra.stage import BUILT_IN
from tests.platform.infra.watched import ALARM, COMPOSITE, DASHBOARD, QUERY, Watched, metrics_of_alarm, wrong
from tests.support.synthesis import ROOT, Synthesis
from tests.support.synthesised_stages import FEATURE

EVENT_FILES = {
    "FilesWaiting",
    "MediaWaiting",
    "CallsWaiting",
    "WatchingWaiting",
    "FilesLate",
    "ValidationFailing",
    "ValidationThrottled",
    "ValidationSlow",
    "DirtyMany",
    "DirtyUnusual",
    "ConversionFailed",
    "ConversionSlow",
    "ConversionLate",
    "NothingArrives",
}
EXPORTS = {"ExportCallsWaiting", "ExportFailed", "ExportLate", "FilesMissing", "TokensRefused", "ExportAbsent"}
LONGEST_REGION = "ap-southeast-19"  # as long as the name of a region gets
LONGEST_NAME = 64  # of a function or a queue


@pytest.fixture
def watched(stage: Synthesis) -> Watched:
    return Watched(stage)


@pytest.fixture
def alarms(prd: Synthesis) -> dict[str, dict[str, Any]]:
    return Watched(prd).alarms()


def test_the_alarms_of_a_stage(prd: Synthesis, dev: Synthesis) -> None:
    assert Watched(prd).alarms().keys() == EVENT_FILES | EXPORTS
    absent = {"ExportAbsent"}
    assert Watched(dev).alarms().keys() == (EVENT_FILES | EXPORTS) - absent, "nobody exports there by a schedule"


def test_every_metric_is_one_that_somebody_emits(watched: Watched) -> None:
    named = [metric for alarm in watched.alarms().values() for metric in metrics_of_alarm(alarm)]
    assert [wrong(metric, watched) for metric in named if wrong(metric, watched)] == []


def test_an_alarm_belongs_to_one_composite_and_tells_nobody_itself(watched: Watched) -> None:
    children = {
        name.removeprefix(f"{watched.stage.stack_prefix}-"): re.findall(r'ALARM\("Watch/([^"]+)"\)', each["AlarmRule"])
        for name, each in watched.composites().items()
    }
    assert children.keys() == {"EventFiles", "Exports"}
    assert {name[len("EventFiles") : -8] for name in children["EventFiles"]} == EVENT_FILES
    assert {name[len("Exports") : -8] for name in children["Exports"]} <= EXPORTS
    every = [name for names in children.values() for name in names]
    assert sorted(every) == sorted(watched._template.of_type(ALARM))
    for alarm in watched.alarms().values():
        assert not {"AlarmActions", "OKActions", "InsufficientDataActions"} & alarm.keys()


def test_composites_page_and_say_when_it_is_over(prd: Synthesis, dev: Synthesis) -> None:
    for composite in Watched(prd).composites().values():
        assert composite["AlarmActions"] == composite["OKActions"]
        (topic,) = composite["AlarmActions"]
        assert Watched(prd).type_of(topic) == "AWS::SNS::Topic"
    for composite in Watched(dev).composites().values():
        assert not {"AlarmActions", "OKActions"} & composite.keys(), "nobody is woken for dev"


def test_what_a_missing_figure_means_is_said(alarms: dict[str, dict[str, Any]]) -> None:
    missing = {name: alarm["TreatMissingData"] for name, alarm in alarms.items()}
    breaching = {name for name, treated in missing.items() if treated == "breaching"}
    assert breaching == {"ConversionLate", "ExportAbsent"}, "a figure that always comes, by a schedule"
    assert set(missing.values()) == {"breaching", "notBreaching"}


def test_alarms_on_a_schedules_figures_need_the_schedule(synthesis_of: Callable[[str], Synthesis]) -> None:
    local = Watched(synthesis_of("local")).alarms()
    assert (EVENT_FILES | EXPORTS) - local.keys() == {"ConversionLate", "NothingArrives", "ExportAbsent"}


@pytest.mark.parametrize(
    ("name", "looked_at", "breaching"),
    [
        ("FilesWaiting", 1, 1),
        ("FilesLate", 3, 2),
        ("ConversionFailed", 3, 1),
        ("ExportFailed", 16, 1),
        ("FilesMissing", 16, 1),
        ("ExportAbsent", 3, 3),
        ("DirtyMany", 1, 1),
        ("DirtyUnusual", 3, 2),
        ("ConversionSlow", 3, 1),
    ],
)
def test_how_long_something_lasts(alarms: dict[str, dict[str, Any]], name: str, looked_at: int, breaching: int) -> None:
    assert (alarms[name]["EvaluationPeriods"], alarms[name]["DatapointsToAlarm"]) == (looked_at, breaching)


def test_an_alarm_looks_back_no_longer_than_a_day_or_a_week(alarms: dict[str, dict[str, Any]]) -> None:
    for alarm in alarms.values():
        stats = [each["MetricStat"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
        for period in [each["Period"] for each in stats] or [alarm["Period"]]:
            assert period * alarm["EvaluationPeriods"] <= (86_400 if period < 3600 else 7 * 86_400)


def test_thresholds_are_the_stages(alarms: dict[str, dict[str, Any]], prd: Synthesis) -> None:
    watch, stage = Watch(), prd.stage
    assert {name: alarm["Threshold"] for name, alarm in alarms.items() if alarm.get("Threshold")} == {
        "FilesLate": 60 * watch.queue_age_minutes,
        "ValidationFailing": watch.error_percent,
        "ValidationSlow": 0.8 * 1000 * stage.validate_files.timeout_seconds,
        "ConversionSlow": 0.8 * 1000 * stage.convert_batch.timeout_seconds,
        "DirtyMany": watch.dirty_percent,
        "ConversionLate": 60 * watch.pending_minutes,
        "NothingArrives": 3600 * watch.quiet_hours,
        "ExportLate": 60_000 * watch.export_minutes,
        "ExportAbsent": 1,
    }


def test_few_events_are_no_ratio(alarms: dict[str, dict[str, Any]]) -> None:
    for name in ("DirtyMany", "DirtyUnusual"):
        (ratio,) = [each["Expression"] for each in alarms[name]["Metrics"] if "IF(" in each.get("Expression", "")]
        assert ratio.startswith(f"IF(clean + dirty >= {Watch().dirty_least_events}, ")
        assert ratio.endswith(", 0)")


def test_the_unusual_is_beyond_a_band(alarms: dict[str, dict[str, Any]]) -> None:
    alarm = alarms["DirtyUnusual"]
    (band,) = [each for each in alarm["Metrics"] if each["Id"] == alarm["ThresholdMetricId"]]
    assert re.fullmatch(r"ANOMALY_DETECTION_BAND\((\w+), 4\)", band["Expression"])
    assert alarm["ComparisonOperator"] == "GreaterThanUpperThreshold"


def test_every_way_not_to_succeed_counts(alarms: dict[str, dict[str, Any]]) -> None:
    for name in ("ConversionFailed", "ExportFailed"):
        ends = {metric.name for metric in metrics_of_alarm(alarms[name])}
        assert ends == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
        # A sum with + would be missing as long as one of them is.
        (total,) = [each["Expression"] for each in alarms[name]["Metrics"] if "Expression" in each]
        assert total.startswith("SUM([")


def test_every_alarm_says_what_it_means_what_to_do_and_where_to_look(watched: Watched) -> None:
    queries, runbook = watched.queries(), (ROOT / "docs" / "runbook.md").read_text()
    for name, alarm in watched.alarms().items():
        description = alarm["AlarmDescription"]
        meaning, steps, links = description.split("\n\n")
        assert len(meaning) > 30
        assert [step[:3] for step in steps.splitlines()] == ["1. ", "2. ", "3. "]
        console, query, page = links.splitlines()
        assert console.startswith("Console: https://Region.console.aws.amazon.com/")
        assert query.removeprefix("Query: ") in queries
        anchor = page.removeprefix("Runbook: docs/runbook.md#")
        assert anchor in _anchors(runbook), name
        assert len(_as_deployed(description)) <= 1024, name


def test_the_runbook_has_no_alarm_that_is_gone(prd: Synthesis) -> None:
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    (section,) = re.findall(r"^## Alarms$(.*?)(?=^## |\Z)", runbook, flags=re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"^#### (\w+)$", section, flags=re.MULTILINE)) == Watched(prd).alarms().keys()


def test_names_begin_with_the_stage(prd: Synthesis) -> None:
    named = {alarm["AlarmName"] for alarm in Watched(prd).alarms().values()}
    assert named == {f"Sluice-prd-{name}" for name in EVENT_FILES | EXPORTS}
    assert prd.watch.stack.startswith("Sluice-prd-")
    assert Watched(prd).composites().keys() == {"Sluice-prd-EventFiles", "Sluice-prd-Exports"}


def test_the_local_cloud_gets_none_of_it_but_the_template_has_it(synthesis_of: Callable[[str], Synthesis]) -> None:
    watch = synthesis_of("local").watch
    assert watch.body["Conditions"]["OnAws"] == {"Fn::Equals": ["local", "aws"]}
    for kind in (ALARM, COMPOSITE, DASHBOARD, QUERY):
        assert watch.of_type(kind)
        assert {each.get("Condition") for each in watch.of_type(kind).values()} == {"OnAws"}


@pytest.mark.parametrize("name", ["dev", "prd"])
def test_on_aws_nothing_depends_on_a_condition(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    template = synthesis_of(name).watch
    assert not any("Condition" in each for each in template.body["Resources"].values())


def test_a_feature_stage_has_no_alarm(synthesis_of: Callable[[str], Synthesis]) -> None:
    assert not synthesis_of(FEATURE).watch.of_type(ALARM)
    assert not synthesis_of(FEATURE).watch.of_type(COMPOSITE)


@pytest.mark.parametrize("name", BUILT_IN)
def test_an_alarm_has_one_logical_id_on_every_stage(
    synthesis_of: Callable[[str], Synthesis], prd: Synthesis, name: str
) -> None:
    assert synthesis_of(name).watch.of_type(ALARM).keys() <= prd.watch.of_type(ALARM).keys()


def _anchors(markdown: str) -> Iterator[str]:
    for heading in re.findall(r"^#+ (.+)$", markdown, flags=re.MULTILINE):
        yield re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def _as_deployed(description: str) -> str:
    region = re.sub(r"\b(Region)\b", LONGEST_REGION, description)
    names = re.sub(r"(EventFiles|Exports)/\w+(\.\w+)?", "x" * LONGEST_NAME, region)
    return re.sub(r"AccountId", "1" * 12, re.sub("Partition", "aws-us-gov", names))
