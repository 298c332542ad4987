"""The vendor's jobs, and the rule that one is triggered per hour."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from cli.simulator.deliveries import Exports, VendorFile, files_of
from sluice.vendor_exports.delivery.slots import Environment


@dataclass(frozen=True, slots=True)
class Job:
    """A job that was accepted."""

    guid: str
    triggered: datetime
    environment: Environment
    exports: Exports

    @property
    def files(self) -> dict[str, VendorFile]:
        """What it delivers, by name."""
        return files_of(self.exports)

    def prepare(self) -> None:
        """Make the files in the background, and know their MD5, before anybody waits for them."""
        threading.Thread(target=self._prepare, name="vendor-simulator-job", daemon=True).start()

    def _prepare(self) -> None:
        for file in self.files.values():
            file.content.md5  # noqa: B018 - is computed and kept


class TooEarlyError(Exception):
    """The hour since the last trigger is not over."""

    def __init__(self, last: datetime) -> None:
        """Keep when the last trigger was."""
        super().__init__()
        self.last = last


class Jobs:
    """All jobs so far."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._last: datetime | None = None

    def trigger(self, now: datetime, apart: timedelta, environment: Environment, exports: Exports) -> Job:
        """Accept a job.

        Raises:
            TooEarlyError: Another one was accepted less than `apart` ago.
        """
        with self._lock:
            if self._last is not None and now < self._last + apart:
                raise TooEarlyError(self._last)
            self._last = now
            job = Job(str(uuid.uuid4()), now, environment, exports)
            self._jobs[job.guid] = job
            return job

    def find(self, guid: object) -> Job | None:
        """Return the job of that name."""
        return self._jobs.get(str(guid))

    def trigger_elsewhere(self, now: datetime) -> None:
        """Note that somebody else triggered a job."""
        with self._lock:
            self._last = now
