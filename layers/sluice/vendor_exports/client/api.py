"""The vendor's API: its two flows, its errors, and its answers as values, which are untrusted."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any, Protocol

from sluice.vendor_exports.client.documents import member, parsed, spelled, whole_number
from sluice.vendor_exports.client.redaction import LONGEST, Redactor

MAX_FILES = 10_000
"""Most files of a job that are taken: the vendor's jobs have 100 to 300."""

PLACEHOLDER = "put the vendor's value here"
"""The client id in a secret as the deployment makes it, until a person puts the vendor's values in."""


class Environment(StrEnum):
    """A flow of the vendor's exports; the two are never mixed."""

    TEST = "Test"
    PROD = "Prod"

    @property
    def config_name(self) -> str:
        """Name of the job's configuration at the vendor's."""
        return f"onDemandExtract1Day{self.value}"

    @property
    def root(self) -> str:
        """Prefix of everything of this flow in a bucket."""
        return "DEV/IMOSDL/" if self is Environment.TEST else "IMOSDL/"

    @property
    def hourly(self) -> str:
        """Prefix of the folders of all slots."""
        return f"{self.root}Hourly/"


class TransientError(Exception):
    """A retry may help, after so many seconds where the server named them."""

    def __init__(self, happened: str, retry_after: float | None = None) -> None:
        super().__init__(happened)
        self.retry_after = retry_after


class VendorError(Exception):
    """The vendor did not do what it was asked for; `retry_after` are the seconds it asks to wait, if it names any."""

    def __init__(self, slot: str, step: str, happened: str, advice: str, *, retry_after: float | None = None) -> None:
        super().__init__(f"export {slot}, {step}: {happened}. {advice}")
        self.retry_after = retry_after


class CredentialsRefusedError(VendorError):
    """The vendor does not accept the credentials of the secret: it is wrong, or was rotated or revoked."""


class VendorUnavailableError(VendorError):
    """The vendor could not be reached or had transient errors at all attempts; a later attempt may succeed."""


class JobUnknownError(VendorError):
    """The vendor does not know the job, or not any more."""


class AnswerNotUnderstoodError(VendorError):
    """The vendor's answer is not as its interface says."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses between attempts: `first_seconds` at most, then doubling; `sleep` makes them."""

    first_seconds: float
    sleep: Callable[[float], None]


_QUOTED = 200  # characters of the vendor's own words that a message may repeat
_LONGEST_DATE = 100  # characters of a header
_MOST_ESCAPES = 100  # of an object key that is looked into for secrets
_KEY_BEGIN = 2000  # characters; a longer object key is refused, and not shown so far
WITHHELD_KEY = "\0"
"""The object key that stands for one that holds a secret, or more escapes than can be looked into."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer.

    Attributes:
        status: The HTTP status.
        body: The bytes.
        sent_at: The time by the vendor's clock, UTC, where the answer has a Date header.
        retry_after: Seconds that the vendor asks to wait, where it names any.
        charset: The coding that the answer says it has.
    """

    status: int
    body: bytes = field(repr=False)
    sent_at: datetime | None
    retry_after: float | None = None
    charset: str = ""

    @property
    def is_success(self) -> bool:
        """Tell whether the vendor did what it was asked for, or says that it will."""
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
        """Return what the vendor says, in one of the members that errors have, as a JSON text, or as plain text."""
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


class JobStatus(StrEnum):
    """A job's status; the vendor publishes no list of words, so a new word is `UNKNOWN` and no error."""

    COMPLETE = "complete"
    FAILED = "failed"
    ERROR = "error"
    CANCELLED = "cancelled"
    ABORTED = "aborted"
    RUNNING = "running"
    UNKNOWN = "unknown"

    @property
    def is_terminal(self) -> bool:
        """Tell whether the job will not change any more."""
        return self not in {JobStatus.RUNNING, JobStatus.UNKNOWN}

    @classmethod
    def of(cls, word: str) -> "JobStatus":
        """Read the vendor's word, whatever its case and spacing; words that are not known are `UNKNOWN`."""
        plain = "".join(letter for letter in word.lower() if not letter.isspace() and letter not in "-_")
        if plain in _COMPLETE:
            return cls.COMPLETE
        for part, status in _ENDED_BADLY:
            if part in plain:
                return status
        return cls.RUNNING if plain in _RUNNING else cls.UNKNOWN


_COMPLETE = frozenset({"complete", "completed"})
_ENDED_BADLY = (
    ("fail", JobStatus.FAILED),
    ("error", JobStatus.ERROR),
    ("cancel", JobStatus.CANCELLED),
    ("abort", JobStatus.ABORTED),
)
_RUNNING = frozenset(
    {"new", "created", "scheduled", "pending", "queued", "waiting", "starting", "started", "initializing"}
    | {"initialising", "running", "inprogress", "processing", "replicating", "extracting", "executing"}
)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The vendor began a job."""

    job_guid: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The vendor allows no job before `seconds` have passed, by its own clock; None if it names no time."""

    seconds: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class JobReport:
    """The status of a job, and the vendor's word for it."""

    status: JobStatus
    word: str


@dataclass(frozen=True, slots=True)
class ListedFile:
    """An entry of the vendor's list; `url` is presigned, `size` may be anything."""

    key: str
    url: str = field(repr=False)
    size: object


class Vendor(Protocol):
    """The vendor's API. Raises VendorError."""

    def trigger(self, environment: Environment) -> Accepted | Refused:
        """Ask for a job."""

    def status(self, job_guid: str) -> JobReport:
        """Ask for the status of a job."""

    def files(self, environment: Environment, job_guid: str, minutes: int) -> list[ListedFile]:
        """Ask for a job's files, with presigned URLs that live for so many minutes."""


def sent_at(date_header: str | None) -> datetime | None:
    """Read the Date header of an answer."""
    try:
        moment = parsedate_to_datetime((date_header or "")[:_LONGEST_DATE])
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def quoted(text: str, redactor: Redactor) -> str:
    """Return the vendor's words for a message: short, printable, without secrets and URLs."""
    return "".join(letter if letter.isprintable() else " " for letter in redactor.redacted(text))[:_QUOTED]


def listed_files(document: object, redactor: Redactor) -> list[ListedFile] | None:
    """Read the list of files; None if it is not a list. Entries that are not objects become empty ones."""
    if not isinstance(document, list):
        return None
    return [
        ListedFile(
            _key(entry, redactor), _text(entry, "presignedDownloadURL").strip(), _size(member(entry, "size"), redactor)
        )
        for entry in document
    ]


def _key(entry: object, redactor: Redactor) -> str:
    key = _text(entry, "key")
    begin = key[:_KEY_BEGIN]
    return WITHHELD_KEY if sum(map(begin.count, "%\\&")) > _MOST_ESCAPES or redactor.holds(begin) else key


def _size(size: object, redactor: Redactor) -> object:
    """Return a size as it is if it is a number, or could be one; of anything else, what a message may show."""
    if size is None or isinstance(size, bool | int | float) or whole_number(size) is not None:
        return size
    return quoted(size, redactor) if isinstance(size, str) else f"<{type(size).__name__}>"


def _text(entry: object, name: str) -> str:
    value = member(entry, name)
    return value if isinstance(value, str) else ""
