"""Answers of servers as values, which are untrusted, and what went wrong instead of one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from sluice.http.documents import member, parsed, spelled
from sluice.http.redaction import LONGEST, Redactor

DENIALS = frozenset({401, 403, 419, 440, 498})
"""Statuses that servers give to a token or a secret that has expired or is another by now."""

_QUOTED = 200  # characters of a server's own words that a message may repeat
_LONGEST_DATE = 100  # characters of a header


class TransientError(Exception):
    """A retry may help, after so many seconds where the server named them."""

    def __init__(self, happened: str, retry_after: float | None = None) -> None:
        super().__init__(happened)
        self.retry_after = retry_after


class UrlRefusedError(Exception):
    """The URL must not be fetched."""


class AnswerRefusedError(Exception):
    """An answer is of no use, and asking again would not change it; the message says why."""


class DeniedError(AnswerRefusedError):
    """The server does not accept the header it is sent, also when it was read again from its secret."""


class UnreadableError(TransientError):
    """An answer that should be a document is none: of a proxy, of a server that starts, or cut off."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses between attempts: `first_seconds` at most, then doubling; `sleep` makes them."""

    first_seconds: float
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: The HTTP status.
        body: The bytes.
        sent_at: The time by the server's clock, UTC, where the answer has a Date header.
        retry_after: Seconds that the server asks to wait, where it names any.
        charset: The coding that the answer says it has.
    """

    status: int
    body: bytes = field(repr=False)
    sent_at: datetime | None
    retry_after: float | None = None
    charset: str = ""

    @property
    def is_success(self) -> bool:
        """Tell whether the server did what it was asked for, or says that it will."""
        return self.status in _SUCCESSES

    def document(self) -> Any:  # noqa: ANN401 - any JSON value
        """Return the body as JSON; None if it is not JSON."""
        try:
            return parsed(self.body, self.charset)
        except ValueError:
            return None

    def text(self, name: str) -> str | None:
        """Return a member of the body that is a text and not blank, without blanks around; None if there is none."""
        value = member(self.document(), name)
        return (value.strip() or None) if isinstance(value, str) else None

    def word(self, name: str) -> str | None:
        """Return a member of the body as a word, whatever its type; None if there is no such member."""
        document = self.document()
        if spelled(document, name) is None:
            return None
        value = member(document, name)
        return value if isinstance(value, str) else f"<{type(value).__name__}>"

    def sentence(self) -> str | None:
        """Return what the server says, in one of the members that errors have, as a JSON text, or as plain text."""
        said = next(filter(None, map(self.text, _ERROR_MEMBERS)), None)
        if said:
            return said
        document, is_plain = self.document(), self.body.lstrip()[:1] not in _NO_PLAIN_TEXT
        if document is None and is_plain and self.body.strip() != b"null":
            document = self.body[:LONGEST].decode(errors="replace")
        return (document.strip() or None) if isinstance(document, str) else None


_SUCCESSES = frozenset({200, 201, 202, 203})
_ERROR_MEMBERS = ("Message", "detail", "error_description", "title", "error")
_NO_PLAIN_TEXT = frozenset({b"", b"<", b"{", b"["})


def sent_at(date_header: str | None) -> datetime | None:
    """Read the Date header of an answer."""
    try:
        moment = parsedate_to_datetime((date_header or "")[:_LONGEST_DATE])
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def quoted(text: str, redactor: Redactor) -> str:
    """Return a server's words for a message: short, printable, without secrets and URLs."""
    return "".join(letter if letter.isprintable() else " " for letter in redactor.redacted(text))[:_QUOTED]
