"""Trouble produced for real turns the right alarms of a stage with schedules on, and no others; mended, off again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pytest

from infra.event_files.settings import EventFiles
from tests.platform.local.alarm_timeline import (
    ARRIVALS,
    CONVERSIONS,
    HOUR,
    MINUTE,
    PROBES,
    START,
    TROUBLE,
    AlarmStates,
    Hours,
    Timeline,
    alarms_of,
    evaluate_between,
)
from tests.platform.local.measured_conditions import Conditions, MeasuredCloud, Sample
from tests.support.cloudwatch.definitions import Alarms
from tests.support.cloudwatch.series import Metric, Point
from tests.support.local.deployed_cloud import Cloud
from tests.support.local.deployed_exports import DeployedExports
from tests.support.stages import stage_named

FILES, EXPORTS = "EventFilesComposite", "VendorExportsComposite"

INT = stage_named("int")


@pytest.fixture(scope="module")
def measured(cloud: Cloud) -> MeasuredCloud:
    measured = MeasuredCloud(cloud)
    measured.empty_queues()
    return measured


@pytest.fixture(scope="module")
def hours(measured: MeasuredCloud, tmp_path_factory: pytest.TempPathFactory) -> Hours:
    conditions = Conditions(measured, DeployedExports(measured.cloud), tmp_path_factory.mktemp("conditions"))
    return Hours(conditions, conditions.probes(place * PROBES for place in range(CONVERSIONS // PROBES)))


@pytest.fixture(scope="module")
def alarms(tmp_path_factory: pytest.TempPathFactory) -> Alarms:
    return alarms_of(INT, tmp_path_factory.mktemp("int"))


def assert_alarms(found: tuple[AlarmStates, AlarmStates], *expected: str) -> None:
    """Assert that these alarms are on in the trouble until its end, no others, and none at last."""
    trouble, mended = found
    assert trouble.ever == set(expected)
    assert {name for name, state in trouble.last.items() if state == "ALARM"} == set(expected)
    assert mended.ever <= set(expected)
    assert {name: state for name, state in mended.last.items() if state != "OK"} == {}


def test_a_healthy_stage_has_no_alarm(hours: Hours, alarms: Alarms) -> None:
    found = hours.evaluate(alarms, lambda _: TROUBLE)
    assert {"EventFilesDirtyMany", "EventFilesConversionLate", FILES, EXPORTS} <= found[0].last.keys()
    assert_alarms(found)


def test_a_new_stage_without_files_has_no_alarm(hours: Hours, alarms: Alarms) -> None:
    timeline, end = Timeline(), START + 26 * HOUR
    empty = hours.probes[0].without("NewestRowAge")
    timeline.repeat(hours.conditions.idle_conversion, CONVERSIONS, START, end)
    timeline.repeat(empty, PROBES, START, end)
    timeline.repeat(hours.conditions.export, HOUR, START, end)
    assert evaluate_between(alarms, timeline, START + 15 * MINUTE, end).ever == set()


@dataclass(frozen=True)
class Trouble:
    """Hours without a healthy part of the stage, and a sample added in its place: once, or again and again."""

    without: str
    alarms: tuple[str, ...]
    sample: str = ""
    every: timedelta = timedelta.max
    lasts: timedelta = HOUR
    healthy: timedelta = 2 * HOUR

    def add(self, hours: Hours, timeline: Timeline) -> datetime:
        """Add the trouble, and return its end."""
        end = TROUBLE + self.lasts
        hours.add_healthy(timeline, TROUBLE, end, self.without)
        if self.sample:
            timeline.repeat(getattr(hours.conditions, self.sample), min(self.every, self.lasts), TROUBLE, end)
        return end


DIRTY = (*(f"EventFiles{name}" for name in ("DirtyMany", "DirtyUnusual", "DirtyBytes", "FilesDirty")), FILES)
FAILED_EXPORT = ("VendorExportsExportFailed", "VendorExportsFilesMissing", EXPORTS)
TROUBLES = {
    "dirty events": Trouble("files", DIRTY, "dirty_files", ARRIVALS),
    "no probes": Trouble("probes", ("EventFilesConversionLate", FILES)),
    "no exports": Trouble("exports", ("VendorExportsExportAbsent", EXPORTS), lasts=8 * HOUR, healthy=6 * HOUR),
    "failed validations": Trouble("files", ("EventFilesValidationFailing", FILES), "failed_validation", ARRIVALS),
    "failed conversion": Trouble(
        "conversions", ("EventFilesConversionFailed", FILES), "failed_conversion", lasts=CONVERSIONS
    ),
    "slow validations": Trouble("files", ("EventFilesValidationSlow", FILES), "slow_files", ARRIVALS),
    "exports not set up": Trouble("exports", (), "export_not_set_up", HOUR, lasts=8 * HOUR),
    "incomplete export": Trouble("exports", FAILED_EXPORT, "incomplete_export"),
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_trouble_turns_its_alarms_on(hours: Hours, alarms: Alarms, trouble: Trouble) -> None:
    assert_alarms(hours.evaluate(alarms, partial(trouble.add, hours), healthy=trouble.healthy), *trouble.alarms)


def test_a_message_that_cannot_be_processed(hours: Hours, alarms: Alarms) -> None:
    def trouble(timeline: Timeline) -> datetime:
        hidden = timedelta(seconds=6 * INT.settings(EventFiles).validate_files.timeout_seconds)
        given_up = TROUBLE + INT.max_receives * hidden
        hours.add_healthy(timeline, TROUBLE, given_up)
        timeline.points += _ages(hours.conditions.dead_letter, TROUBLE, hidden)
        mended = given_up + HOUR
        hours.add_healthy(timeline, given_up, mended, "queues")
        timeline.repeat(hours.conditions.dead_letter, MINUTE, given_up, mended)
        return mended

    assert_alarms(hours.evaluate(alarms, trouble), "EventFilesFilesWaiting", FILES)


def _ages(dead_letter: Sample, sent: datetime, hidden: timedelta) -> Iterator[tuple[Metric, Point]]:
    """Yield the age of the message until its third receive: then AWS no longer counts it."""
    (queue,) = {
        metric
        for metric, _ in dead_letter.points
        if metric.name == "ApproximateAgeOfOldestMessage" and "NewFilesQueue" in dict(metric.dimensions)["QueueName"]
    }
    for minute in range(2 * hidden // MINUTE):
        yield queue, Point((sent + minute * MINUTE).timestamp(), 60.0 * minute)


def test_conversions_are_not_started(hours: Hours, alarms: Alarms) -> None:
    ages = [place * CONVERSIONS for place in range(6)]

    def trouble(timeline: Timeline) -> datetime:
        end = TROUBLE + ages[-1] + CONVERSIONS
        hours.add_healthy(timeline, TROUBLE, end, "conversions", "probes")
        for age, sample in zip(ages, hours.conditions.probes(ages), strict=True):
            timeline.repeat(sample, PROBES, TROUBLE + age, TROUBLE + age + CONVERSIONS)
        return end

    assert_alarms(hours.evaluate(alarms, trouble), "EventFilesConversionLate", FILES)
