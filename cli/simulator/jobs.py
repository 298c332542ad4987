"""The vendor's jobs: their duration, the rule that one is triggered per hour, and the sentences that refuse others."""

import threading
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from cli.http_server.content import Content
from cli.simulator.exports import Exports, files_of
from sluice.vendor_exports.client.api import Environment

_SOME_DAY = datetime(2026, 3, 1, 12, 34, 56, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Timing:
    """Durations in seconds.

    Attributes:
        init: From the trigger until the job is running.
        replication: From then until it is complete.
        hour: From an accepted trigger until the next is accepted.
        token: Lifetime of a token.
        url: Longest lifetime of a presigned URL.
        compression: Factor by which jobs and the hour pass faster, at once when infinite; lifetimes stay as they are.
    """

    init: float = 90
    replication: float = 20 * 60
    hour: float = 60 * 60
    token: float = 60 * 60
    url: float = 60 * 60
    compression: float = 1

    def job_status(self, age: timedelta) -> str:
        """Return the status of a job at an age, counted from its trigger."""
        seconds = age.total_seconds()
        if seconds < self.init / self.compression:
            return "Initializing"
        return "Running" if seconds < (self.init + self.replication) / self.compression else "Complete"

    @property
    def between_triggers(self) -> timedelta:
        """Least time between two accepted triggers."""
        return timedelta(seconds=self.hour / self.compression)


class Wording(StrEnum):
    """Sentences that refuse a trigger, for `str.format`.

    ``next`` and ``last`` are the times of triggers, ``left`` is the time until the next one.
    """

    ISO = "The export was requested less than an hour ago. The next request is allowed at {next:%Y-%m-%dT%H:%M:%SZ}."
    SPACED = "Only one export per hour is allowed, next allowed time: {next:%Y-%m-%d %H:%M:%S}"
    AMERICAN = "Export limit reached. Please try again after {next:%m/%d/%Y %I:%M:%S %p} (UTC)."
    WORDS = "Exports can be requested hourly. Try again after {next:%d %b %Y %H:%M:%S} UTC, please."
    HTTP = "Too early. Next allowed: {next:%a, %d %b %Y %H:%M:%S GMT}"
    SEVEN_DIGITS = "Next allowed execution time is {next:%Y-%m-%dT%H:%M:%S}.0000000Z"
    OFFSET = "Next allowed execution time is {next:%Y-%m-%dT%H:%M:%S}+00:00."
    MINUTES = "Please wait until {next:%Y-%m-%d %H:%M} UTC."
    TWO_TIMES = "Last export: {last:%Y-%m-%d %H:%M:%S}. Next export allowed: {next:%Y-%m-%d %H:%M:%S}."
    DURATION = "Too early. Try again in {left}."
    NEVER = "Next allowed execution time is 0001-01-01T00:00:00Z."
    FAR_FUTURE = "Next allowed execution time is 9999-12-31T23:59:59Z."
    UNPARSABLE = "An export was requested recently. Please try again later."
    IMPOSSIBLE = "Next allowed execution time is 2026-02-31 25:61:00."

    def sentence(self, last: datetime, following: datetime, now: datetime) -> str:
        """Return the sentence; the next time is rounded up, so that a client that obeys is not refused again."""
        unit = timedelta(minutes=1) if self is Wording.MINUTES else timedelta(seconds=1)
        allowed = _rounded_up(following, unit)
        left = f"{allowed - now.replace(microsecond=0)!s:0>8}"
        return self.value.format(last=last, next=allowed, left=left)

    @property
    def example(self) -> str:
        """The sentence with sample times."""
        return self.sentence(_SOME_DAY, _SOME_DAY + timedelta(hours=1), _SOME_DAY)


def _rounded_up(moment: datetime, unit: timedelta) -> datetime:
    rest = timedelta(seconds=moment.second, microseconds=moment.microsecond) % unit
    return moment + (unit - rest) % unit


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was accepted."""

    guid: str
    triggered: datetime
    environment: Environment
    exports: Exports

    @property
    def files(self) -> dict[str, Content]:
        """Its files by name."""
        return files_of(self.exports)

    def prepare(self) -> None:
        """Generate the files and their MD5 in the background, before a client asks for them."""
        threading.Thread(target=lambda: [file.md5 for file in self.files.values()], daemon=True).start()


class Jobs:
    """All jobs so far; `last` is the time of the last trigger that was accepted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self.last = datetime.min.replace(tzinfo=UTC)

    def trigger(self, now: datetime, apart: timedelta, environment: Environment, exports: Exports) -> Job | None:
        """Accept a job; return None when another one was accepted less than `apart` ago."""
        with self._lock:
            if now < self.last + apart:
                return None
            self.last = now
            job = Job(str(uuid.uuid4()), now, environment, exports)
            self._jobs[job.guid] = job
            return job

    def find(self, guid: object) -> Job | None:
        """Return the job with this GUID."""
        return self._jobs.get(str(guid))

    def trigger_elsewhere(self, now: datetime) -> None:
        """Record that another client triggered a job."""
        self.last = now
