"""What the vendor says of a job."""

from enum import StrEnum


class JobStatus(StrEnum):
    """A job's status; the vendor publishes no list, so any word it has not used before is unknown, not wrong."""

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
        """Read the vendor's word, whatever its case and spacing; see the domain's facts."""
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
