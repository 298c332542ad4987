"""What happens on a stage, hour by hour."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from tests.platform.local.alarm_cases import Conditions
from tests.platform.local.alarming import Rung, ring
from tests.platform.local.timeline import Sample, Timeline
from tests.support.cloudwatch.definitions import Alarms

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
START = datetime(2026, 11, 20, tzinfo=UTC)
TROUBLE = START + 10 * HOUR
ARRIVALS, PROBES, CONVERSIONS = 5 * MINUTE, 5 * MINUTE, 15 * MINUTE  # as the stage's schedules have them


@dataclass(frozen=True)
class Story:
    """What happens on a stage: usual things, but for the trouble."""

    conditions: Conditions
    ages: list[Sample]

    def usual(self, timeline: Timeline, start: datetime, end: datetime, *without: str) -> None:
        """Files arrive, conversions run, the probe looks, exports are delivered; but for some of that."""
        happening = self.conditions
        things: dict[str, Callable[[], None]] = {
            "queues": lambda: timeline.repeat(happening.queues, MINUTE, start, end),
            "files": lambda: timeline.repeat(happening.files, ARRIVALS, start, end),
            "conversions": lambda: timeline.repeat(happening.conversion, CONVERSIONS, start, end),
            "probes": lambda: self.probes(timeline, start, end),
            "exports": lambda: timeline.repeat(happening.export, HOUR, start, end),
        }
        for name, happen in things.items():
            if name not in without:
                happen()

    def probes(self, timeline: Timeline, start: datetime, end: datetime) -> None:
        """The oldest chunk grows older until the next conversion."""
        for place in range(CONVERSIONS // PROBES):
            timeline.repeat(self.ages[place], CONVERSIONS, start + place * PROBES, end)

    @cached_property
    def before(self) -> Timeline:
        """All is well."""
        timeline = Timeline()
        self.usual(timeline, START, TROUBLE)
        return timeline

    def told(
        self, alarms: Alarms, trouble: Callable[[Timeline], datetime], *, healthy: timedelta = 2 * HOUR
    ) -> tuple[Rung, Rung]:
        """What rings from before the trouble until it is mended, and then until the end, when all is well again."""
        timeline = Timeline(list(self.before.points))
        mended = trouble(timeline)
        self.usual(timeline, mended, mended + healthy)
        return ring(alarms, timeline, TROUBLE - HOUR, mended), ring(alarms, timeline, mended, mended + healthy)
