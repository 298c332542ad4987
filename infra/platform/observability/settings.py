"""Settings of a stage's observability, and of the search of its profiling log."""

from dataclasses import dataclass
from typing import Annotated, Self

from infra.stage import Batching, FunctionSize, Percent, Positive, ScheduleExpression, StageKind
from infra.typed_table import Between, Matching

_EmailAddress = Annotated[str, Matching(r"[^@\s]+@[^@\s]+\.[^@\s]+", '"on-call@example.com"')]


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackChannel:
    """A channel of a workspace that the account's chat client is authorised for, both by id: T…, C…."""

    workspace: Annotated[str, Matching(r"T[A-Z0-9]+", '"T0123456789"')]
    channel: Annotated[str, Matching(r"C[A-Z0-9]+", '"C0123456789"')]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingCluster:
    """An OpenSearch domain or serverless collection of another owner, and its web application.

    `arn` says what it is and what the functions may reach; `boards_url` is needed only where it is not the usual one.
    """

    url: str
    arn: str
    boards_url: str | None = None

    def __post_init__(self) -> None:
        """Refuse a URL without TLS and an ARN of another service.

        Raises:
            ValueError: One of them is wrong.
        """
        if not self.url.startswith("https://") or self.url.endswith("/"):
            raise ValueError(f"{self.url!r} must begin with https:// and end with the host's name or a path")
        if self.service not in {"es", "aoss"}:
            raise ValueError(f"{self.arn!r} must be the ARN of an OpenSearch domain (es) or collection (aoss)")

    @property
    def service(self) -> str:
        """Service that requests are signed for: es or aoss."""
        return [*self.arn.split(":"), "", "", ""][2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Settings of the profiling search: the profiling log in OpenSearch, with a board.

    Without a `cluster` the stage makes a serverless collection that costs nothing while it is not used. Every load
    wakes it for ten minutes, so runs are held back and loaded together. `readers` are ARNs of roles that may read
    it.
    """

    cluster: ExistingCluster | None = None
    readers: tuple[str, ...] = ()
    retention_days: Positive = 90  # months that ended longer ago are removed
    collection_hold_minutes: int = 60  # until the oldest run that waits is loaded, all others with it
    collection_max_units: Positive = 2  # OCU for writing, and as many for reading, at $0.24 an hour each

    load_search: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=300)
    install_search: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=600)

    @property
    def hold_minutes(self) -> int:
        """Minutes a run may wait for others; a cluster that never sleeps gets each at once."""
        return 0 if self.cluster else self.collection_hold_minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Observability:
    """Settings of observability: recipients of messages, schedules of digests, thresholds that all pipelines share."""

    alarms: bool = True  # and dashboards
    emails: tuple[_EmailAddress, ...] = ()  # each is asked once to confirm
    slack: SlackChannel | None = None
    pages: bool = True  # False: alarms show, but send nothing
    runbook: str = "docs/runbook.md"  # address that messages lead to; an anchor per alarm is added

    # Of the oldest message that waits; one that fails counts for twice the time it is hidden, 24 minutes of a file.
    queue_age_minutes: Positive = 40  # a message that is received twice in vain is 36 minutes old
    error_percent: Percent = 5  # of a function's calls
    # Of a function's timeout that the slowest hundredth of its calls takes.
    duration_percent: Annotated[int, Between(1, 100)] = 80

    daily_digest: ScheduleExpression | None = "cron(0 5 * * ? *)"  # of the day before
    weekly_digest: ScheduleExpression | None = "cron(0 5 ? * MON *)"  # of the week before, Monday to Sunday
    search: Search | None = None  # None: the profiling log is a table of the catalog only

    ends: Batching = Batching(messages=10, window_seconds=0, max_concurrency=2)  # ends of executions, to be recorded

    record_run: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=120)
    send_digest: FunctionSize = FunctionSize(memory_mb=2048, timeout_seconds=300)

    @classmethod
    def of(cls, kind: StageKind) -> Self:
        """Return the settings of a kind of stage."""
        match kind:
            case StageKind.LOCAL:  # alarms are in the template only: the local cloud knows few of them
                return cls(daily_digest=None, weekly_digest=None)
            case StageKind.FEATURE:
                return cls(daily_digest=None, weekly_digest=None, alarms=False)
            case StageKind.DEV:
                return cls(pages=False)
            case StageKind.LASTING:
                return cls()
