"""The vendor's API: its two flows, its errors, and what it answers, which is untrusted."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from sluice.http.answers import quoted
from sluice.http.documents import member, whole_number
from sluice.http.redaction import Redactor

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


_MOST_ESCAPES = 100  # of an object key that is looked into for secrets
_KEY_BEGIN = 2000  # characters; a longer object key is refused, and not shown so far
WITHHELD_KEY = "\0"
"""The object key that stands for one that holds a secret, or more escapes than can be looked into."""


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
