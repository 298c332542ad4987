"""The search cluster as the domain sees it: requests, their errors, and how often they are repeated."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential
from tenacity.nap import sleep

_LONGEST_PAUSE = 30.0  # seconds


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
    """Limits of repetition: pauses of `first_seconds` at most, then doubling, each within the time that is left."""

    seconds_left: Callable[[], float]
    attempts: int = 6
    first_seconds: float = 1.0
    sleep: Callable[[float], None] = sleep

    def retrying(self, error: type[SearchError] = BusyError) -> Retrying:
        """Return a caller of functions that repeats calls which raise `error`, and raises the last one."""
        return Retrying(
            retry=retry_if_exception_type(error),
            wait=wait_random_exponential(multiplier=self.first_seconds, max=_LONGEST_PAUSE),
            stop=self._is_over,
            sleep=self.sleep,
            reraise=True,
        )

    def _is_over(self, state: RetryCallState) -> bool:
        return state.attempt_number >= self.attempts or self.seconds_left() <= state.upcoming_sleep
