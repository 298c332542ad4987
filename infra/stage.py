"""Typed settings of a stage: those that all of it shares, the classes of settings of its parts, and their types.

A *stage* is one deployment of Sluice. `dev`, `int` and `prd` last; `local` is the cloud on a laptop; any other valid
name is a feature branch's own deployment, which shares nothing with the others and leaves nothing behind.
"""

import platform
import re
import sys
from dataclasses import dataclass, replace
from enum import StrEnum
from pkgutil import resolve_name
from typing import Any, Literal, Self, TypeVar

SETTINGS = (
    "infra.platform.observability.settings:Observability",
    "infra.event_files.settings:EventFiles",
    "infra.vendor_exports.settings:VendorExports",
)
"""Classes of settings; each has a class method `of(kind)` that returns its values for a kind of stage."""

MEBIBYTE = 1024 * 1024
BUILT_IN = ("local", "dev", "int", "prd")

Architecture = Literal["arm64", "x86_64"]
Settings = TypeVar("Settings")

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAME_LENGTH = 30  # names of resources, of 64 characters at most, begin with it


class StageKind(StrEnum):
    """A kind of stage; FEATURE stands for every name that is none of the others."""

    LOCAL = "local"
    FEATURE = "feature"
    DEV = "dev"
    INT = "int"
    PRD = "prd"

    @property
    def by_hand(self) -> bool:
        """Tell whether everything on the stage is started by hand: it has no schedules."""
        return self in {StageKind.LOCAL, StageKind.FEATURE}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSize:
    """Limits of a Lambda function.

    `reserved_concurrency` takes its share out of the account's pool and caps the function; None leaves it in the pool.
    """

    memory_mb: int
    timeout_seconds: int
    reserved_concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """Batches of a queue's messages: a call waits for so many, but no longer than the window.

    `max_concurrency` is the number of calls at a time, at least 2.
    """

    messages: int
    window_seconds: int
    max_concurrency: int


class StageNameError(ValueError):
    """The name can be no stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Settings of one deployment; the defaults are those of a lasting stage on AWS.

    Buckets: `source_bucket` and `media_bucket` name existing buckets, whose owner has switched EventBridge
    notifications on; where they are None the stage makes its own.
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

    max_receives: int = 4  # deliveries of a message before it goes to the dead letter queue
    queue_retention_days: int = 14
    run_retention_days: int = 90  # plans, receipts, commits, pages of digests
    noncurrent_retention_days: int = 7  # replaced and deleted objects of the lake
    query_result_retention_days: int = 7
    abandoned_upload_days: int = 3
    access_log_retention_days: int = 90
    log_retention_days: int = 90
    log_level: str = "INFO"
    query_scan_limit_gib: int = 1024  # an Athena query that would scan more is cancelled

    parts: tuple[Any, ...] = ()  # settings of its parts, one of each class

    def __post_init__(self) -> None:
        """Refuse a name that cannot prefix every resource of the stage.

        Raises:
            StageNameError: The name is no stage's.
        """
        if not _NAME.fullmatch(self.name) or len(self.name) > _NAME_LENGTH:
            raise StageNameError(
                f"{self.name!r} is no stage: use {', '.join(BUILT_IN)} or a feature's name of at most "
                f"{_NAME_LENGTH} lower-case letters, digits and single hyphens that begins with a letter, "
                "such as we-1234-some-feature"
            )

    @property
    def stack_name(self) -> str:
        """Name of the stage's stack, and begin of those of its alarms and dashboards."""
        return f"Sluice-{self.name}"

    @property
    def resource_prefix(self) -> str:
        """Begin of the few physical names of the stage."""
        return f"sluice-{self.name}"

    @property
    def database(self) -> str:
        """Name of the Glue database; SQL identifiers take no hyphen."""
        return f"sluice_{self.name.replace('-', '_')}"

    def settings(self, kind: type[Settings]) -> Settings:
        """Return the settings of a part by their class."""
        (found,) = [part for part in self.parts if isinstance(part, kind)]
        return found

    def having(self, *settings: object) -> Self:
        """Return the stage with these settings in place of those of the same class."""
        given = {type(part): part for part in (*self.parts, *settings)}
        return replace(self, parts=tuple(given.values()))


def stage_named(name: str) -> Stage:
    """Return the settings of the stage of that name.

    Raises:
        StageNameError: The name is no stage's.
    """
    kind = StageKind(name) if name in BUILT_IN else StageKind.FEATURE
    stage = replace(_STAGES[kind], name=name)
    return stage.having(*(resolve_name(entry).of(kind) for entry in SETTINGS))


_FEATURE = Stage(name="feature", keeps_data=False, log_retention_days=3, run_retention_days=7)
_LOCAL = replace(
    _FEATURE,
    account="000000000000",
    region="us-east-1",
    local=True,
    python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
    architecture="arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64",
)
_STAGES = {
    StageKind.FEATURE: _FEATURE,
    StageKind.LOCAL: _LOCAL,
    StageKind.DEV: Stage(name="dev", keeps_data=False, log_retention_days=14),
    # The buckets of int and prd exist already and belong to the producers: these names are theirs.
    StageKind.INT: Stage(name="int", source_bucket="ef-int-stream", media_bucket="ef-int-media"),
    StageKind.PRD: Stage(
        name="prd", source_bucket="ef-prd-stream", media_bucket="ef-prd-media", log_retention_days=365
    ),
}
