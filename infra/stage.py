"""Typed settings of a stage: every number one may turn, with its unit.

A *stage* is one deployment of Sluice. `dev`, `int` and `prd` last; `local` is the cloud on a laptop; any other valid
name is a feature branch's own deployment, which shares nothing with the others and leaves nothing behind.
"""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass, replace
from typing import Literal

from sluice.exports.slots import Environment

MEBIBYTE = 1024 * 1024
BUILT_IN = ("local", "dev", "int", "prd")

Architecture = Literal["arm64", "x86_64"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAME_LENGTH = 30  # names of resources, of 64 characters at most, begin with it


class StageNameError(ValueError):
    """The name can be no stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSize:
    """What one Lambda function may use.

    `reserved_concurrency` takes its share out of the account's pool and caps the function; None leaves it in the pool.
    """

    memory_mb: int
    timeout_seconds: int
    reserved_concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How messages of a queue come together: a call waits for so many, but no longer than the window.

    `max_concurrency` is the number of calls at a time, at least 2.
    """

    messages: int
    window_seconds: int
    max_concurrency: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Exports:
    """Settings of the vendor exports.

    `download_hosts` are the hosts that the vendor's presigned addresses may lead to, complete names; an export of a
    host that is missing here says so. `out_of_scope` are tables of the vendor's schema that nobody expects.
    """

    environment: Environment = Environment.TEST
    company: str = "SLUICE"
    auth_url: str = "https://auth.veslink.com"
    export_url: str = "https://emea.veslink.com"
    files_url: str = "https://api.veslink.com"
    download_hosts: tuple[str, ...] = ()
    out_of_scope: tuple[str, ...] = ()

    schedule: str | None = "cron(2 * * * ? *)"  # a slot is the hour its run is started in
    patience_seconds: int = 75 * 60  # for the vendor to take a job: one an hour
    first_wait_seconds: int = 120
    poll_seconds: int = 60
    deadline_seconds: int = 90 * 60  # for a job to be complete; 15 to 25 minutes are usual
    timeout_minutes: int = 300  # of an execution: patience, deadline and copying
    vendor_timeout_seconds: int = 60  # of one request without a byte
    pause_milliseconds: int = 1000  # before the second attempt of a request, at most; then doubling

    rounds: int = 3  # of copying what is missing, by new addresses
    batch_files: int = 25
    batch_bytes: int = 256 * MEBIBYTE
    max_file_bytes: int = 20 * 1024 * MEBIBYTE
    copy_max_concurrency: int = 10

    history_slots: int = 240  # hours one update makes up for
    history_timeout_minutes: int = 120
    observe_max_concurrency: int = 10

    begin_export: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=60)
    trigger_job: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=300)
    check_job: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=300)
    list_files: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=300)
    copy_files: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=900)
    check_delivery: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=300)
    close_export: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=60)
    update_history: FunctionSize = FunctionSize(memory_mb=2048, timeout_seconds=900)
    plan_history: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=300)
    observe_hours: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=900)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackChannel:
    """A channel of a workspace that the account's chat client is authorised for, both by id: T…, C…."""

    workspace: str
    channel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingCluster:
    """An OpenSearch domain or serverless collection that somebody else runs, and its web application.

    `arn` says what it is and what the functions may reach; `boards_url` is asked for only where it is not usual.
    """

    url: str
    arn: str
    boards_url: str | None = None

    def __post_init__(self) -> None:
        """Refuse an address without TLS and an ARN of something else.

        Raises:
            ValueError: One of them is wrong.
        """
        if not self.url.startswith("https://") or self.url.endswith("/"):
            raise ValueError(f"{self.url!r} must begin with https:// and end with the host's name or a path")
        if self.service not in {"es", "aoss"}:
            raise ValueError(f"{self.arn!r} must be the ARN of an OpenSearch domain (es) or collection (aoss)")

    @property
    def service(self) -> str:
        """What requests are signed for: es or aoss."""
        return [*self.arn.split(":"), "", "", ""][2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Settings of the profiling search: the profiling log in OpenSearch, with a board.

    Without a `cluster` the stage makes a serverless collection that costs nothing while nobody uses it. Every load
    wakes that for ten minutes, so runs are held back and loaded together. `readers` are ARNs of roles that may look
    at it, besides those of `cluster`'s owner.
    """

    cluster: ExistingCluster | None = None
    readers: tuple[str, ...] = ()
    retention_days: int = 90  # months that ended longer ago are removed
    collection_hold_minutes: int = 60  # until the oldest run that waits is loaded, all others with it
    collection_max_units: int = 2  # OCU for writing, and as many for reading, at $0.24 an hour each

    load_search: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=300)
    install_search: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=600)

    @property
    def hold_minutes(self) -> int:
        """How long a run may wait for others; a cluster that never sleeps gets each at once."""
        return 0 if self.cluster else self.collection_hold_minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Settings of watching: who is told, how often one looks, and from where on something is wrong."""

    emails: tuple[str, ...] = ()  # each is asked once to confirm
    slack: SlackChannel | None = None
    pages: bool = True  # False: alarms show, but send nothing
    runbook: str = "docs/runbook.md"  # address that messages lead to; an anchor per alarm is added

    # Of the oldest announcement that waits; a message that fails counts for twice the time it is hidden, 24 minutes.
    queue_age_minutes: int = 30
    error_percent: float = 5  # of a function's calls
    duration_percent: int = 80  # of a function's timeout that the slowest hundredth of its calls takes
    dirty_percent: float = 5  # of clean and dirty events
    dirty_least_events: int = 100  # clean and dirty, in 15 minutes; with fewer, no ratio is looked at
    dirty_band: float = 4  # standard deviations from the usual ratio
    dirty_least_percent: float = 1  # a ratio below is never unusual
    pending_minutes: int = 45  # age of the oldest chunk that waits for its conversion
    quiet_hours: int = 24  # age of the newest hour that any table has rows of
    export_minutes: int = 45  # an export may take; 15 to 25 are usual
    export_absent_hours: int = 3  # without a whole delivery

    probe_schedule: str | None = "rate(5 minutes)"
    daily_digest: str | None = "cron(0 5 * * ? *)"  # of the day before
    weekly_digest: str | None = "cron(0 5 ? * MON *)"  # of the week before, Monday to Sunday
    search: Search | None = None  # None: the profiling log is a table of the catalog only

    ends: Batching = Batching(messages=10, window_seconds=0, max_concurrency=2)  # ends of executions, to be recorded

    probe_lag: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=120)
    record_run: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=60)
    send_digest: FunctionSize = FunctionSize(memory_mb=2048, timeout_seconds=300)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """All settings of one deployment; the defaults are those of a lasting stage on AWS.

    Buckets: `source_bucket` and `media_bucket` name existing buckets, whose owner has switched EventBridge
    notifications on; where they are None the stage makes its own. Schedules are EventBridge Scheduler expressions in
    UTC; None means: by hand only.
    """

    name: str
    account: str | None = None
    region: str | None = None
    keeps_data: bool = True  # False: `cdk destroy` takes the data along
    local: bool = False  # runs in the emulator: plain HTTP, layers for the running interpreter

    source_bucket: str | None = None
    media_bucket: str | None = None

    python_version: str = "3.14"
    architecture: Architecture = "arm64"

    validate_files: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=120)
    index_media: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=30)
    plan_conversion: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=300)
    convert_batch: FunctionSize = FunctionSize(memory_mb=2048, timeout_seconds=300)
    commit_conversion: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=300)
    profile_run: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=300)
    sweep_orphans: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=900)

    # One ledger transaction holds 100 records: 98 files, their chunk and one to spare.
    files: Batching = Batching(messages=98, window_seconds=20, max_concurrency=50)
    media: Batching = Batching(messages=100, window_seconds=20, max_concurrency=5)
    max_receives: int = 4  # deliveries of a message before it goes to the dead letter queue
    chunk_bytes: int = 16 * MEBIBYTE  # clean JSON a chunk holds before the next one is begun
    max_file_bytes: int = 256 * MEBIBYTE  # a source object larger than this, unpacked, is refused as dirty

    conversion_schedule: str | None = "rate(15 minutes)"
    conversion_timeout_minutes: int = 60
    batch_bytes: int = 32 * MEBIBYTE  # clean JSON per conversion batch
    convert_max_concurrency: int = 20
    sweep_schedule: str | None = "cron(30 3 * * ? *)"

    queue_retention_days: int = 14
    dirty_retention_days: int = 90  # dirty and unrelated records
    run_retention_days: int = 90  # plans, receipts, commits, pages of digests
    noncurrent_retention_days: int = 7  # replaced and deleted objects of the lake
    query_result_retention_days: int = 7
    abandoned_upload_days: int = 3
    access_log_retention_days: int = 90
    log_retention_days: int = 90
    log_level: str = "INFO"
    query_scan_limit_gib: int = 1024  # an Athena query that would scan more is cancelled

    exports: Exports = Exports()
    watch: Watch = Watch()

    alarms: bool = True  # and dashboards

    def __post_init__(self) -> None:
        """Refuse a name that cannot prefix every resource of the stage.

        Raises:
            StageNameError: the name is no stage's.
        """
        if not _NAME.fullmatch(self.name) or len(self.name) > _NAME_LENGTH:
            raise StageNameError(
                f"{self.name!r} is no stage: use {', '.join(BUILT_IN)} or a feature's name of at most "
                f"{_NAME_LENGTH} lower-case letters, digits and single hyphens that begins with a letter, "
                "such as we-1234-some-feature"
            )

    @property
    def stack_prefix(self) -> str:
        """What the names of the stage's stacks begin with."""
        return f"Sluice-{self.name}"

    @property
    def resource_prefix(self) -> str:
        """What the few physical names of the stage begin with."""
        return f"sluice-{self.name}"

    @property
    def vendor_secret(self) -> str:
        """Name of the secret that holds the vendor's credentials."""
        return f"{self.resource_prefix}/veson"

    @property
    def database(self) -> str:
        """Name of the Glue database; SQL identifiers take no hyphen."""
        return f"sluice_{self.name.replace('-', '_')}"


def stage_named(name: str) -> Stage:
    """Return the settings of the stage of that name.

    Raises:
        StageNameError: the name is no stage's.
    """
    return _STAGES.get(name) or replace(_FEATURE, name=name)


def _running_architecture() -> Architecture:
    return "arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64"


_FEATURE = Stage(
    name="feature",
    keeps_data=False,
    conversion_schedule=None,
    sweep_schedule=None,
    exports=Exports(schedule=None),
    watch=Watch(probe_schedule=None, daily_digest=None, weekly_digest=None),
    log_retention_days=3,
    dirty_retention_days=7,
    run_retention_days=7,
    alarms=False,
)
_LOCAL = replace(
    _FEATURE,
    name="local",
    account="000000000000",
    region="us-east-1",
    local=True,
    python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
    architecture=_running_architecture(),
    alarms=True,  # in the template only: the local cloud knows few of them
    validate_files=FunctionSize(memory_mb=1024, timeout_seconds=60),
    # The emulator starts a process per concurrent call: as many as a small laptop carries.
    files=Batching(messages=98, window_seconds=1, max_concurrency=2),
    media=Batching(messages=100, window_seconds=1, max_concurrency=2),
    convert_max_concurrency=2,
    exports=Exports(
        schedule=None,
        # The machine's waits take a hundredth of their time there; those inside functions are shortened here.
        vendor_timeout_seconds=3,
        pause_milliseconds=20,
        copy_max_concurrency=2,
        observe_max_concurrency=2,
    ),
)
# The vendor runs one Test job an hour: of dev and int only one can have a schedule.
_DEV = Stage(
    name="dev",
    keeps_data=False,
    conversion_schedule="rate(1 hour)",
    exports=Exports(schedule=None),
    watch=Watch(pages=False, pending_minutes=150),
    log_retention_days=14,
)
# The buckets of int and prd exist already and belong to the producers: these names are theirs.
_INT = Stage(name="int", source_bucket="ef-int-stream", media_bucket="ef-int-media")
_PRD = Stage(
    name="prd",
    source_bucket="ef-prd-stream",
    media_bucket="ef-prd-media",
    exports=Exports(environment=Environment.PROD),
    log_retention_days=365,
)
_STAGES = {stage.name: stage for stage in (_LOCAL, _DEV, _INT, _PRD)}
