"""Hours of a stage with schedules, put together from samples, and its alarms over them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

from infra.stage import Stage
from tests.platform.infra.observability.observability_template import ObservabilityTemplate
from tests.platform.local.measured_conditions import Conditions, Sample
from tests.support.cloudwatch.definitions import Alarms, read_alarms
from tests.support.cloudwatch.evaluation import ALARM, evaluate
from tests.support.cloudwatch.series import Metric, Point, Series
from tests.support.synthesis import synthesise

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = datetime(2026, 11, 20, tzinfo=UTC)
TROUBLE = START + 10 * HOUR
ARRIVALS, PROBES, CONVERSIONS = 5 * MINUTE, 5 * MINUTE, 15 * MINUTE  # as the stage's schedules have them
_EVALUATIONS = 2 * MINUTE  # no period of an alarm is shorter than five minutes


@dataclass
class Timeline:
    """Samples at their times."""

    points: list[tuple[Metric, Point]] = field(default_factory=list)

    def add(self, sample: Sample, at: datetime) -> None:
        """Add a sample at a time."""
        begin = at.timestamp()
        self.points += [(metric, Point(begin + point.at, point.value)) for metric, point in sample.points]

    def repeat(self, sample: Sample, every: timedelta, start: datetime, end: datetime) -> None:
        """Add a sample again and again, from `start` on and before `end`."""
        for at in _moments(start, end, every):
            self.add(sample, at)


@dataclass(frozen=True)
class AlarmStates:
    """Alarms that were on at any time, and all states at the end, by construct."""

    ever: set[str]
    last: dict[str, str]


@dataclass(frozen=True)
class Hours:
    """Hours of a stage: healthy, in trouble, healthy again."""

    conditions: Conditions
    probes: list[Sample]

    def add_healthy(self, timeline: Timeline, start: datetime, end: datetime, *without: str) -> None:
        """Let files arrive, conversions run, the probe measure, exports be delivered, but for `without`."""
        samples = {
            "queues": (self.conditions.queues, MINUTE),
            "files": (self.conditions.files, ARRIVALS),
            "conversions": (self.conditions.conversion, CONVERSIONS),
            "exports": (self.conditions.export, HOUR),
        }
        for name in samples.keys() - set(without):
            timeline.repeat(*samples[name], start, end)
        if "probes" not in without:  # the oldest chunk grows older until the next conversion
            for place, sample in enumerate(self.probes):
                timeline.repeat(sample, CONVERSIONS, start + place * PROBES, end)

    @cached_property
    def before(self) -> Timeline:
        """Return the healthy hours before the trouble."""
        timeline = Timeline()
        self.add_healthy(timeline, START, TROUBLE)
        return timeline

    def evaluate(
        self, alarms: Alarms, trouble: Callable[[Timeline], datetime], *, healthy: timedelta = 2 * HOUR
    ) -> tuple[AlarmStates, AlarmStates]:
        """Return the alarms of the trouble, which `trouble` adds and returns the end of, and of the hours after it."""
        timeline = Timeline(list(self.before.points))
        end = trouble(timeline)
        self.add_healthy(timeline, end, end + healthy)
        return evaluate_between(alarms, timeline, TROUBLE - HOUR, end), evaluate_between(
            alarms, timeline, end, end + healthy
        )


def evaluate_between(alarms: Alarms, timeline: Timeline, start: datetime, end: datetime) -> AlarmStates:
    """Evaluate all alarms every other minute."""
    series = Series(timeline.points)
    states: dict[str, str] = {}
    ever: set[str] = set()
    for now in _moments(start, end + _EVALUATIONS, _EVALUATIONS):
        states = evaluate(alarms, series, now)
        ever |= {name for name, state in states.items() if state == ALARM}
    return AlarmStates(ever, states)


def alarms_of(stage: Stage, folder: Path) -> Alarms:
    """Return the alarms of a stage; its resources have the logical ids of those of the local one."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:  # the CDK's Node process ends with it
        return read_alarms(ObservabilityTemplate(process.submit(synthesise, stage, folder).result()))


def _moments(start: datetime, end: datetime, every: timedelta) -> Iterator[datetime]:
    while start < end:
        yield start
        start += every
