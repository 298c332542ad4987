"""Alarms: when they go on, what they say, and whom they notify."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from infra.api_pull.settings import ApiPull
from infra.event_files.settings import EventFiles
from infra.platform.observability.settings import Observability
from infra.recommender.settings import Recommender
from infra.vendor_exports.settings import VendorExports
from sluice.pipelines import PIPELINES
from tests.platform.infra.observability.observability_template import (
    ALARM,
    COMPOSITE,
    DASHBOARD,
    QUERY,
    ObservabilityTemplate,
    metrics_of_alarm,
    wrong,
)
from tests.support.stages import FEATURE, STAGES
from tests.support.synthesis import ROOT, Synthesis

ByName = dict[str, dict[str, Any]]
"""Properties of alarms."""
OBSERVABILITY = {"ObservabilityWaiting"}
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()
(_SECTION,) = re.findall(r"^## Alarms$(.*?)(?=^## |\Z)", RUNBOOK, flags=re.MULTILINE | re.DOTALL)
ALL = set(re.findall(r"^#### (\w+)$", _SECTION, flags=re.MULTILINE))
"""The alarms that the runbook explains."""
LONGEST_REGION = "ap-southeast-19"  # as long as the name of a region gets
LONGEST_NAME = 64  # of a function or a queue


@pytest.fixture
def template(stage: Synthesis) -> ObservabilityTemplate:
    return ObservabilityTemplate(stage)


@pytest.fixture
def alarms(prd: Synthesis) -> ByName:
    return ObservabilityTemplate(prd).alarms()


def test_the_alarms_of_a_stage_are_those_of_the_runbook(synthesis_of: Callable[[str], Synthesis]) -> None:
    absent: dict[str, set[str]] = {
        "prd": set(),
        "dev": {"ExportAbsent", "PullAbsent"},  # exports and pulls by hand only
        "local": {"ConversionLate", "NothingArrives", "ExportAbsent", "PullAbsent"},  # nothing by a schedule
        FEATURE: ALL,
    }
    for name, missing in absent.items():
        assert ObservabilityTemplate(synthesis_of(name)).alarms().keys() & ALL == ALL - missing, name
    assert not synthesis_of(FEATURE).observability.of_type(COMPOSITE)


def test_every_metric_is_one_that_somebody_emits(template: ObservabilityTemplate) -> None:
    named = [metric for alarm in template.alarms().values() for metric in metrics_of_alarm(alarm)]
    assert [wrong(metric, template) for metric in named if wrong(metric, template)] == []


def test_an_alarm_of_a_pipeline_belongs_to_its_composite_which_notifies(template: ObservabilityTemplate) -> None:
    prefix = f"{template.stage.stack_name}-"
    children = {
        name.removeprefix(prefix): re.findall(r'ALARM\("([^"]+)"\)', composite["AlarmRule"])
        for name, composite in template.composites().items()
    }
    assert children.keys() == {pipeline.name.title().replace("_", "") for pipeline in PIPELINES}
    for group, names in children.items():
        assert all(name.startswith(f"Observability{group}") for name in names)
    every = [name for names in children.values() for name in names]
    alone = [name for name in template.template.of_type(ALARM) if name.startswith("ObservabilityObservability")]
    assert sorted([*every, *alone]) == sorted(template.template.of_type(ALARM))
    for name, alarm in template.alarms().items():
        if name not in OBSERVABILITY:
            assert not {"AlarmActions", "OKActions", "InsufficientDataActions"} & alarm.keys()


def test_composites_and_an_alarm_without_one_page_and_say_when_it_is_over(prd: Synthesis, dev: Synthesis) -> None:
    for stage in (prd, dev):
        template = ObservabilityTemplate(stage)
        for paging in (*template.composites().values(), template.alarms()["ObservabilityWaiting"]):
            if stage is dev:
                assert not {"AlarmActions", "OKActions"} & paging.keys(), "nobody is woken for dev"
            else:
                assert paging["AlarmActions"] == paging["OKActions"]
                (topic,) = paging["AlarmActions"]
                assert template.type_of(topic) == "AWS::SNS::Topic"


def test_what_a_missing_figure_means_is_said(alarms: ByName) -> None:
    missing = {name: alarm["TreatMissingData"] for name, alarm in alarms.items()}
    breaching = {name for name, treated in missing.items() if treated == "breaching"}
    assert breaching == {"ConversionLate", "ExportAbsent", "PullAbsent"}, "a figure that always comes, by a schedule"
    assert set(missing.values()) == {"breaching", "notBreaching"}


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
def test_how_long_something_lasts(alarms: ByName, name: str, looked_at: int, breaching: int) -> None:
    assert (alarms[name]["EvaluationPeriods"], alarms[name]["DatapointsToAlarm"]) == (looked_at, breaching)


def test_an_alarm_looks_back_no_longer_than_a_day_or_a_week(alarms: ByName) -> None:
    for alarm in alarms.values():
        stats = [each["MetricStat"] for each in alarm.get("Metrics", []) if "MetricStat" in each]
        for period in [each["Period"] for each in stats] or [alarm["Period"]]:
            assert period * alarm["EvaluationPeriods"] <= (86_400 if period < 3600 else 7 * 86_400)


def test_thresholds_are_the_stages(alarms: ByName, prd: Synthesis) -> None:
    settings = prd.stage.settings
    shared, files, exports = settings(Observability), settings(EventFiles), settings(VendorExports)
    pulls = settings(ApiPull)
    assert {name: alarm["Threshold"] for name, alarm in alarms.items() if alarm.get("Threshold")} == {
        "FilesLate": 60 * shared.queue_age_minutes,
        "ValidationFailing": shared.error_percent,
        "ValidationSlow": 0.8 * 1000 * files.validate_files.timeout_seconds,
        "ConversionSlow": 0.8 * 1000 * files.convert_batch.timeout_seconds,
        "DirtyMany": files.dirty_percent,
        "DirtyBytes": files.dirty_percent,
        "ConversionLate": 60 * files.pending_minutes,
        "NothingArrives": 3600 * files.quiet_hours,
        "ExportLate": 60_000 * exports.late_minutes,
        "ExportAbsent": 1,
        "PullLate": 60_000 * pulls.late_minutes,
        "PullAbsent": 1,
        "InferLate": 60_000 * settings(Recommender).late_minutes,
        "ServiceFailing": shared.error_percent,
        "ServiceSlow": settings(Recommender).slow_milliseconds,
    }


def test_few_events_are_no_ratio(alarms: ByName) -> None:
    for name in ("DirtyMany", "DirtyUnusual"):
        (ratio,) = [each["Expression"] for each in alarms[name]["Metrics"] if "IF(" in each.get("Expression", "")]
        assert ratio.startswith(f"IF(clean + dirty >= {EventFiles().dirty_least_events}, ")
        assert ratio.endswith(", 0)")


def test_few_bytes_are_no_ratio_and_one_whole_file_is_enough(alarms: ByName) -> None:
    (ratio,) = [each["Expression"] for each in alarms["DirtyBytes"]["Metrics"] if "Expression" in each]
    assert ratio == f"IF(read >= {EventFiles().dirty_least_bytes}, 100 * dirty / read, 0)"
    for name in ("FilesDirty", "ChunksLeftOut"):
        assert (alarms[name]["Threshold"], alarms[name]["ComparisonOperator"]) == (0, "GreaterThanThreshold")


def test_the_unusual_is_beyond_a_band(alarms: ByName) -> None:
    alarm = alarms["DirtyUnusual"]
    (band,) = [each for each in alarm["Metrics"] if each["Id"] == alarm["ThresholdMetricId"]]
    assert re.fullmatch(r"ANOMALY_DETECTION_BAND\((\w+), 4\)", band["Expression"])
    assert alarm["ComparisonOperator"] == "GreaterThanUpperThreshold"


def test_every_way_not_to_succeed_counts(alarms: ByName) -> None:
    for name in ("ConversionFailed", "ExportFailed"):
        ends = {metric.name for metric in metrics_of_alarm(alarms[name])}
        assert ends == {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"}
        # A sum with + would be missing as long as one of them is.
        (total,) = [each["Expression"] for each in alarms[name]["Metrics"] if "Expression" in each]
        assert total.startswith("SUM([")


def test_every_alarm_says_what_it_means_what_to_do_and_where_to_look(template: ObservabilityTemplate) -> None:
    queries = template.queries()
    for name, alarm in template.alarms().items():
        description = alarm["AlarmDescription"]
        meaning, steps, links = description.split("\n\n")
        assert len(meaning) > 30
        assert [step[:3] for step in steps.splitlines()] == ["1. ", "2. ", "3. "]
        console, query, page = links.splitlines()
        assert console.startswith("Console: https://Region.console.aws.amazon.com/")
        assert query.removeprefix("Query: ") in queries
        anchor = page.removeprefix("Runbook: docs/runbook.md#")
        assert anchor in _anchors(RUNBOOK), name
        assert len(_as_deployed(description)) <= 1024, name


def test_names_begin_with_the_stage(prd: Synthesis) -> None:
    named = {alarm["AlarmName"] for alarm in ObservabilityTemplate(prd).alarms().values()}
    assert named >= {f"Sluice-prd-{name}" for name in ALL}
    assert all(name.startswith("Sluice-prd-") for name in named)
    assert all(name.startswith("Sluice-prd-") for name in ObservabilityTemplate(prd).composites())


def test_the_local_cloud_gets_none_of_it_but_the_template_has_it(synthesis_of: Callable[[str], Synthesis]) -> None:
    template = synthesis_of("local").observability
    assert template.body["Conditions"]["OnAws"] == {"Fn::Equals": ["local", "aws"]}
    for kind in (ALARM, COMPOSITE, DASHBOARD, QUERY):
        assert template.of_type(kind)
        assert {each.get("Condition") for each in template.of_type(kind).values()} == {"OnAws"}


def test_on_aws_nothing_depends_on_a_condition(stage: Synthesis) -> None:
    assert not any("Condition" in each for each in stage.observability.body["Resources"].values())


@pytest.mark.parametrize("name", STAGES)
def test_alarms_have_one_id_on_every_stage(synthesis_of: Callable[[str], Synthesis], prd: Synthesis, name: str) -> None:
    assert synthesis_of(name).observability.of_type(ALARM).keys() <= prd.observability.of_type(ALARM).keys()


def _anchors(markdown: str) -> Iterator[str]:
    for heading in re.findall(r"^#+ (.+)$", markdown, flags=re.MULTILINE):
        yield re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


def _as_deployed(description: str) -> str:
    region = re.sub(r"\b(Region)\b", LONGEST_REGION, description)
    names = re.sub(r"(EventFiles|VendorExports|ApiPull|Observability)/\w+(\.\w+)?", "x" * LONGEST_NAME, region)
    return re.sub(r"AccountId", "1" * 12, re.sub("Partition", "aws-us-gov", names))
