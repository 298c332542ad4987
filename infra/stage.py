"""Typed settings of a stage: every number one may turn, with its unit; those of exports and watching stand beside.

A *stage* is one deployment of Sluice. `dev`, `int` and `prd` last; `local` is the cloud on a laptop; any other valid
name is a feature branch's own deployment, which shares nothing with the others and leaves nothing behind.
"""

from __future__ import annotations

import platform
import re
import sys
from dataclasses import dataclass, replace
from typing import Literal

from infra.platform.observability.settings import Watch
from infra.platform.sizes import MEBIBYTE, Batching, FunctionSize
from infra.vendor_exports.settings import Exports
from sluice.vendor_exports.delivery.slots import Environment

BUILT_IN = ("local", "dev", "int", "prd")

Architecture = Literal["arm64", "x86_64"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAME_LENGTH = 30  # names of resources, of 64 characters at most, begin with it


class StageNameError(ValueError):
    """The name can be no stage."""


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
    batch_bytes: int = 32 * MEBIBYTE  # clean JSON per conversion batch, and of all batches that one call converts
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
