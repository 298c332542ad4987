"""The search cluster as the domain sees it: requests, their errors, and how often they are repeated."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

_LONGEST_PAUSE = 30.0  # seconds

PUT_OFF = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses of a request, or of a document of it, that may be taken the next time."""


class SearchError(Exception):
    """The cluster did not do what it was asked; the message says what happened and holds nothing of a document."""


class BusyError(SearchError):
    """The cluster could not be reached, had no room or answered nonsense: asking again may help."""


class TooLargeError(SearchError):
    """The request is larger than the cluster takes."""


class RefusedError(SearchError):
    """The cluster refuses the request, or the role that made it: a person has to change something first."""


@dataclass(frozen=True, slots=True)
class BulkResult:
    """Result of one document: an HTTP status, and the kind of error where there is one."""

    status: int
    error: str = ""


class SearchCluster(Protocol):
    """The search cluster and its Dashboards. Every call raises SearchError."""

    def bulk(self, lines: bytes, documents: int) -> Sequence[BulkResult]:
        """Send the lines of so many documents; return one result each, in order."""

    def put_template(self, name: str, body: dict[str, Any]) -> None:
        """Write an index template, replacing the one of that name."""

    def indices(self, pattern: str) -> Sequence[str]:
        """Return the names of all indices of a pattern."""

    def create_index(self, name: str) -> None:
        """Create an index as its template says."""

    def put_mapping(self, name: str, mapping: dict[str, Any]) -> None:
        """Add fields to an index."""

    def delete_index(self, name: str) -> None:
        """Remove an index with all its documents."""

    def put_objects(self, ndjson: bytes) -> None:
        """Write saved objects of the Dashboards, replacing those of the same ids."""


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Limits of repetition: pauses of `first_seconds` at most, then doubling, none longer than the time left."""

    seconds_left: Callable[[], float]
    attempts: int = 6
    first_seconds: float = 1.0

    def call(self, request: Callable[[], None], passing: type[SearchError] = BusyError) -> None:
        """Send a request, again while it raises `passing`; raise the error of the last attempt."""
        for attempt in range(self.attempts):
            pause = random.uniform(0.5, 1) * min(self.first_seconds * 2**attempt, _LONGEST_PAUSE)  # noqa: S311
            try:
                request()
            except passing:
                if attempt + 1 == self.attempts or self.seconds_left() <= pause:
                    raise
                time.sleep(pause)
            else:
                return
