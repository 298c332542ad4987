"""How long things take at the vendor's, and in which words it says how long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_SOME_DAY = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations in seconds.

    Attributes:
        init: From the trigger until the job is running.
        replication: From then until it is complete.
        hour: From an accepted trigger until another one is.
        token: How long a token is valid.
        url: How long a presigned URL is valid at most.
        compression: By how much faster than said jobs and the hour pass, at once when infinite; lifetimes do not, for
            clients are as slow as ever.
    """

    init: float = 90
    replication: float = 20 * 60
    hour: float = 60 * 60
    token: float = 60 * 60
    url: float = 60 * 60
    compression: float = 1

    def job_status(self, age: timedelta) -> str:
        """The status of a job so long after its trigger."""
        seconds = age.total_seconds()
        if seconds < self.init / self.compression:
            return "Initializing"
        return "Running" if seconds < (self.init + self.replication) / self.compression else "Complete"

    @property
    def between_triggers(self) -> timedelta:
        """How long the hour is."""
        return timedelta(seconds=self.hour / self.compression)


class Wording(StrEnum):
    """Sentences that refuse a trigger, for `str.format` with ``next`` and ``last``, the times of the triggers."""

    ISO = "The export was requested less than an hour ago. The next request is allowed at {next:%Y-%m-%dT%H:%M:%SZ}."
    SPACED = "Only one export per hour is allowed, next allowed time: {next:%Y-%m-%d %H:%M:%S}"
    AMERICAN = "Export limit reached. Please try again after {next:%m/%d/%Y %I:%M:%S %p} (UTC)."
    WORDS = "Exports can be requested hourly. Try again after {next:%d %b %Y %H:%M:%S} UTC, please."
    HTTP = "Too early. Next allowed: {next:%a, %d %b %Y %H:%M:%S GMT}"
    SEVEN_DIGITS = "Next allowed execution time is {next:%Y-%m-%dT%H:%M:%S}.0000000Z"
    OFFSET = "Next allowed execution time is {next:%Y-%m-%dT%H:%M:%S}+00:00."
    MINUTES = "Please wait until {next:%Y-%m-%d %H:%M} UTC."
    TWO_TIMES = "Last export: {last:%Y-%m-%d %H:%M:%S}. Next export allowed: {next:%Y-%m-%d %H:%M:%S}."
    NEVER = "Next allowed execution time is 0001-01-01T00:00:00Z."
    FAR_FUTURE = "Next allowed execution time is 9999-12-31T23:59:59Z."
    UNPARSABLE = "An export was requested recently. Please try again later."
    IMPOSSIBLE = "Next allowed execution time is 2026-02-31 25:61:00."

    def sentence(self, last: datetime, following: datetime) -> str:
        """The sentence; times are rounded up, so that who obeys is not refused again."""
        unit = timedelta(minutes=1) if self is Wording.MINUTES else timedelta(seconds=1)
        return self.value.format(last=last, next=_rounded_up(following, unit))

    @property
    def example(self) -> str:
        """The sentence, some day."""
        return self.sentence(_SOME_DAY, _SOME_DAY + timedelta(hours=1))


def _rounded_up(moment: datetime, unit: timedelta) -> datetime:
    rest = timedelta(seconds=moment.second, microseconds=moment.microsecond) % unit
    return moment + (unit - rest) % unit
