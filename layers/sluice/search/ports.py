"""What searching needs of the outside world."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class SearchError(Exception):
    """The cluster did not do what it was asked; the message says what happened and holds nothing of a document."""


class BusyError(SearchError):
    """It could not be reached, had no room or answered nonsense: asking again may help."""


class TooLargeError(SearchError):
    """The request is larger than it takes."""


class RefusedError(SearchError):
    """It refuses what it was asked, or whom it was asked by: somebody has to change something first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one document: an HTTP status, and the kind of error where there is one."""

    status: int
    error: str = ""


class Cluster(Protocol):
    """The search cluster. Every call raises SearchError."""

    def bulk(self, lines: bytes, documents: int) -> Sequence[Answer]:
        """Send the lines of so many documents; return one answer each, in order."""

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


class Boards(Protocol):
    """The web application over the cluster."""

    def put_objects(self, ndjson: bytes) -> None:
        """Write saved objects, replacing those of the same ids. Raises SearchError."""
