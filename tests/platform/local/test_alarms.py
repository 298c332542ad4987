"""Trouble, produced for real, turns the right alarms of a stage with schedules on, and no other; mended, off again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from infra.settings import FunctionSize
from infra.stage import stage_named
from tests.platform.local.alarm_cases import Conditions
from tests.platform.local.alarming import Rung, Watched, ring
from tests.platform.local.story import ARRIVALS, CONVERSIONS, HOUR, MINUTE, PROBES, START, TROUBLE, Story
from tests.platform.local.timeline import Sample, Timeline
from tests.support.cloudwatch.definitions import Alarms
from tests.support.cloudwatch.series import Metric, Point
from tests.support.deployed_cloud import Cloud
from tests.support.deployed_exports import DeployedExports

FILES, EXPORTS = "EventFilesComposite", "ExportsComposite"

INT = stage_named("int")


@pytest.fixture(scope="module")
def watched(cloud: Cloud) -> Watched:
    watched = Watched(cloud)
    watched.empty_queues()
    return watched


@pytest.fixture(scope="module")
def story(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Story:
    conditions = Conditions(watched, DeployedExports(watched.cloud), tmp_path_factory.mktemp("conditions"))
    return Story(conditions, conditions.probes(place * PROBES for place in range(CONVERSIONS // PROBES)))


@pytest.fixture(scope="module")
def alarms(watched: Watched, tmp_path_factory: pytest.TempPathFactory) -> Alarms:
    return watched.alarms_of(INT, tmp_path_factory.mktemp("int"))


def assert_rung(told: tuple[Rung, Rung], *expected: str) -> None:
    """Exactly these ring in the trouble, all of them to its end; and all is well at last."""
    trouble, mended = told
    assert trouble.ever == set(expected)
    assert {name for name, state in trouble.last.items() if state == "ALARM"} == set(expected)
    assert mended.ever <= set(expected)
    assert {name: state for name, state in mended.last.items() if state != "OK"} == {}


def test_a_healthy_stage_rings_nothing(story: Story, alarms: Alarms) -> None:
    told = story.told(alarms, lambda _: TROUBLE)
    assert {"EventFilesDirtyMany", "EventFilesConversionLate", FILES, EXPORTS} <= told[0].last.keys()
    assert_rung(told)


def test_a_new_stage_without_files_rings_nothing(story: Story, alarms: Alarms) -> None:
    timeline, end = Timeline(), START + 26 * HOUR
    empty = story.ages[0].without("NewestRowAge")
    timeline.repeat(story.conditions.idle_conversion, CONVERSIONS, START, end)
    timeline.repeat(empty, PROBES, START, end)
    timeline.repeat(story.conditions.export, HOUR, START, end)
    assert ring(alarms, timeline, START + 15 * MINUTE, end).ever == set()


def test_a_flood_of_dirty_files(story: Story, alarms: Alarms) -> None:
    def trouble(timeline: Timeline) -> datetime:
        mended = TROUBLE + HOUR
        story.usual(timeline, TROUBLE, mended, "files")
        timeline.repeat(story.conditions.flood, ARRIVALS, TROUBLE, mended)
        return mended

    assert_rung(story.told(alarms, trouble), "EventFilesDirtyMany", "EventFilesDirtyUnusual", FILES)


def test_a_poisoned_message(story: Story, alarms: Alarms) -> None:
    def trouble(timeline: Timeline) -> datetime:
        hidden = timedelta(seconds=6 * INT.validate_files.timeout_seconds)
        given_up = TROUBLE + INT.max_receives * hidden
        story.usual(timeline, TROUBLE, given_up)
        timeline.points += _ages(story.conditions.poisoned, TROUBLE, hidden)
        mended = given_up + HOUR
        story.usual(timeline, given_up, mended, "queues")
        timeline.repeat(story.conditions.poisoned, MINUTE, given_up, mended)
        return mended

    assert_rung(story.told(alarms, trouble), "EventFilesFilesWaiting", FILES)


def _ages(poisoned: Sample, sent: datetime, hidden: timedelta) -> Iterator[tuple[Metric, Point]]:
    """How old the message is until it has been received three times: then it no longer counts, says AWS."""
    (queue,) = {
        metric
        for metric, _ in poisoned.points
        if metric.name == "ApproximateAgeOfOldestMessage" and "-FilesQueue" in dict(metric.dimensions)["QueueName"]
    }
    for minute in range(2 * hidden // MINUTE):
        yield queue, Point((sent + minute * MINUTE).timestamp(), 60.0 * minute)


def test_conversions_that_nobody_starts(story: Story, alarms: Alarms) -> None:
    mended = TROUBLE + 90 * MINUTE
    ages = [place * PROBES for place in range(90 * MINUTE // PROBES)]

    def trouble(timeline: Timeline) -> datetime:
        story.usual(timeline, TROUBLE, mended, "conversions", "probes")
        for age, sample in zip(ages, story.conditions.probes(ages), strict=True):
            timeline.lay(sample, TROUBLE + age)
        return mended

    assert_rung(story.told(alarms, trouble), "EventFilesConversionLate", FILES)


def test_a_probe_that_is_silent(story: Story, alarms: Alarms) -> None:
    def trouble(timeline: Timeline) -> datetime:
        story.usual(timeline, TROUBLE, TROUBLE + HOUR, "probes")
        return TROUBLE + HOUR

    assert_rung(story.told(alarms, trouble), "EventFilesConversionLate", FILES)


def test_exports_that_nobody_starts(story: Story, alarms: Alarms) -> None:
    def trouble(timeline: Timeline) -> datetime:
        story.usual(timeline, TROUBLE, TROUBLE + 8 * HOUR, "exports")
        return TROUBLE + 8 * HOUR

    assert_rung(story.told(alarms, trouble, healthy=6 * HOUR), "ExportsExportAbsent", EXPORTS)


def test_a_function_that_fails(story: Story, alarms: Alarms) -> None:
    def trouble(timeline: Timeline) -> datetime:
        story.usual(timeline, TROUBLE, TROUBLE + HOUR, "files")
        timeline.repeat(story.conditions.refused_validation, ARRIVALS, TROUBLE, TROUBLE + HOUR)
        return TROUBLE + HOUR

    assert_rung(story.told(alarms, trouble), "EventFilesValidationFailing", FILES)


def test_a_conversion_that_fails(story: Story, alarms: Alarms) -> None:
    def trouble(timeline: Timeline) -> datetime:
        story.usual(timeline, TROUBLE, TROUBLE + CONVERSIONS, "conversions")
        timeline.lay(story.conditions.refused_conversion, TROUBLE)
        return TROUBLE + CONVERSIONS

    assert_rung(story.told(alarms, trouble), "EventFilesConversionFailed", FILES)


def test_a_function_that_is_slow(watched: Watched, story: Story, tmp_path: Path) -> None:
    took = story.conditions.longest(story.conditions.big, "FunctionsValidateFilesFunction")
    timeout = int(took / 0.801)  # the largest of which the call takes more than the alarm's 80 %
    assert took < timeout, f"a file that takes {took} s is too small to come near a timeout of whole seconds"
    size = FunctionSize(memory_mb=INT.validate_files.memory_mb, timeout_seconds=timeout)
    alarms = watched.alarms_of(replace(INT, validate_files=size), tmp_path)

    def trouble(timeline: Timeline) -> datetime:
        story.usual(timeline, TROUBLE, TROUBLE + HOUR, "files")
        timeline.repeat(story.conditions.big, ARRIVALS, TROUBLE, TROUBLE + HOUR)
        return TROUBLE + HOUR

    assert_rung(story.told(alarms, trouble), "EventFilesValidationSlow", FILES)


def test_a_file_the_vendor_does_not_have(story: Story, alarms: Alarms) -> None:
    def trouble(timeline: Timeline) -> datetime:
        story.usual(timeline, TROUBLE, TROUBLE + HOUR, "exports")
        timeline.lay(story.conditions.incomplete_export, TROUBLE)
        return TROUBLE + HOUR

    assert_rung(story.told(alarms, trouble), "ExportsExportFailed", "ExportsFilesMissing", EXPORTS)
