"""Typed settings of a stage: those that all of it shares, the classes of settings of its parts, and their types.

A *stage* is one deployment of Sluice. It is of a kind: a *lasting* one keeps its data and tells people of its alarms; a
*dev* one has the same schedules, and its data goes with it; a *feature* one, a branch's own deployment, runs nothing by
itself and leaves nothing behind; a *local* one is in the cloud on a laptop. `infra.stage_file` finds them by name.
"""

import json
import platform
import re
import sys
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from itertools import permutations
from typing import Annotated, Any, Literal, Self, TypeVar

from infra.typed_table import Between, Matching

SETTINGS = (
    "infra.platform.observability.settings:Observability",
    "infra.event_files.settings:EventFiles",
    "infra.vendor_exports.settings:VendorExports",
    "infra.tables.settings:Tables",
    "infra.api_pull.settings:ApiPull",
    "infra.recommender.settings:Recommender",
)
"""Classes of settings; each has a class method `of(kind)` that returns its values for a kind of stage."""

MEBIBYTE = 1024 * 1024

Architecture = Literal["arm64", "x86_64"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Settings = TypeVar("Settings")

Positive = Annotated[int, Between(1)]
Percent = Annotated[float, Between(0, 100)]
ScheduleExpression = Annotated[
    str,
    Matching(
        # AWS wants the unit's singular for one and its plural for more, and a question mark in one field of days.
        r"rate\((1 (minute|hour|day)|(?!1 )[1-9]\d* (minute|hour|day)s)\)"
        r"|cron\((\S+ ){2}(\? \S+ [^\s?]+|[^\s?]+ \S+ \?) \S+\)",
        '"rate(1 hour)", "rate(15 minutes)" or "cron(2 * * * ? *)", or false',
    ),
]
Account = Annotated[str, Matching(r"\d{12}", '"123456789012"')]
BucketName = Annotated[str, Matching(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", '"their-events"')]
KmsKey = Annotated[
    str,
    Matching(
        r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[\w-]+",
        '"arn:aws:kms:eu-central-1:123456789012:key/1234abcd-…", not as an alias',
    ),
]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAME_LENGTH = 30  # names of resources, of 64 characters at most, begin with it
_PREFIX = re.compile(r"[A-Za-z0-9!_.'()/=+@&,;:-]+")
_PREFIXES_LENGTH = 1500  # a rule of EventBridge has 2,048 characters for its whole pattern
_UNRESERVED = 100  # concurrent executions that Lambda lets no account reserve
_SHARE = 5  # no queue and no map takes more than this part of the account's concurrent executions
_LEAST_CONCURRENCY = 2  # an event source mapping takes no less


class StageKind(StrEnum):
    """A kind of stage."""

    LOCAL = "local"
    FEATURE = "feature"
    DEV = "dev"
    LASTING = "lasting"

    @property
    def by_hand(self) -> bool:
        """Tell whether everything on the stage is started by hand: it has no schedules."""
        return self in {StageKind.LOCAL, StageKind.FEATURE}


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSize:
    """Limits of a Lambda function.

    `reserved_concurrency` takes its share out of the account's pool and caps the function; None leaves it in the pool.
    """

    memory_mb: Annotated[int, Between(128, 10_240)]
    timeout_seconds: Annotated[int, Between(1, 900)]
    reserved_concurrency: Positive | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """Batches of a queue's messages: a call waits for so many, but no longer than the window.

    `max_concurrency` is the number of calls at a time.
    """

    messages: Annotated[int, Between(1, 10_000)]
    window_seconds: Annotated[int, Between(0, 300)]
    max_concurrency: Annotated[int, Between(_LEAST_CONCURRENCY, 1000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerBucket:
    """A bucket that producers write to: one that exists already, or, where `existing` is None, one the stage makes.

    Attributes:
        existing: Its name. Its owner has it publish its events to EventBridge; `sluice setup` says how.
        owner: The account that owns it, where that is another than the stage's; every call expects it there.
        kms_key: ARN of the customer-managed key that an existing bucket is encrypted with.
        prefixes: Only objects whose keys begin with one of these are taken; none: all objects.
    """

    existing: BucketName | None = None
    owner: Account | None = None
    kms_key: KmsKey | None = None
    prefixes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what fits only an existing bucket, and prefixes that S3 or EventBridge would refuse.

        Raises:
            ValueError: They do not fit together.
        """
        if not self.existing and (self.owner or self.kms_key):
            raise ValueError("owner and kms_key are those of an existing bucket: name it, or leave them out")
        if "" in self.prefixes or len(json.dumps(self.prefixes)) > _PREFIXES_LENGTH:
            raise ValueError(
                f"prefixes: none may be empty, and all together have at most {_PREFIXES_LENGTH} characters"
            )
        if odd := next((each for each in self.prefixes if not _PREFIX.fullmatch(each)), ""):
            raise ValueError(
                f"prefixes: {odd!r} has a character that rights or filters of AWS take for another; "
                "name a shorter one, of letters, digits and !_.'()/=+@&,;:-"
            )
        for one, other in permutations(self.prefixes, 2):
            if other.startswith(one):
                raise ValueError(f"prefixes: {other!r} begins with {one!r}, which is enough: leave {other!r} out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Notebook:
    """A notebook instance, which reads the stage's tables; it stops itself when it was idle for so long."""

    instance_type: Annotated[str, Matching(r"ml\.[a-z0-9]+\.[a-z0-9]+", '"ml.t3.medium"')] = "ml.t3.medium"
    volume_gb: Annotated[int, Between(5, 16_384)] = 10
    idle_minutes: Annotated[int, Between(10, 7 * 24 * 60)] = 60


class StageNameError(ValueError):
    """The name can be no stage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Settings of one deployment; the defaults are those of a lasting stage on AWS."""

    name: str = field(metadata={"in_file": False})
    local: bool = field(default=False, metadata={"in_file": False})  # plain HTTP, layers for the running interpreter
    account: Account | None = None  # None: that of the shell's credentials
    region: Annotated[str, Matching(r"[a-z]{2}(-[a-z]+)+-\d", '"eu-central-1"')] | None = None
    keeps_data: bool = True  # False: destroying the stage takes the data along

    source: ProducerBucket = ProducerBucket()
    media: ProducerBucket = ProducerBucket()
    kms_key: KmsKey | None = None  # of the buckets the stage makes, but for that of access logs; None: S3's own keys
    former_kms_keys: tuple[KmsKey, ...] = ()  # keys before it: objects of that time still need them
    proxy: Annotated[str, Matching(r"https?://[^/@\s]+:\d+", '"http://proxy.example:3128"')] | None = None

    python_version: Annotated[str, Matching(r"3\.1[1-9]", '"3.14"')] = "3.14"
    architecture: Architecture = "arm64"

    # Deliveries of a message before it goes to the dead letter queue; throttled ones count, so AWS advises five.
    max_receives: Annotated[int, Between(5, 1000)] = 5
    queue_retention_days: Annotated[int, Between(1, 14)] = 14
    run_retention_days: Positive = 90  # plans, receipts, commits, pages of digests
    noncurrent_retention_days: Positive = 7  # replaced and deleted objects of the lake
    query_result_retention_days: Positive = 7
    abandoned_upload_days: Positive = 3
    access_log_retention_days: Positive = 90
    log_retention_days: Annotated[int, Between(1, only=(1, 3, 7, 14, 30, 90, 180, 365))] = 90
    log_level: LogLevel = "INFO"
    prepare_tables: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=300)
    prepare_mart: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=600)
    query_scan_limit_gib: Positive = 1024  # an Athena query that would scan more is cancelled
    notebook: Notebook | None = None  # None: no notebook instance

    parts: tuple[Any, ...] = field(default=(), metadata={"in_file": False})  # settings of its parts, one of each class

    def __post_init__(self) -> None:
        """Refuse a name that cannot prefix every resource of the stage, and a notebook instance that nothing can run.

        Raises:
            StageNameError: The name is no stage's.
            ValueError: The local cloud is to have a notebook instance.
        """
        if self.local and self.notebook:
            raise ValueError("notebook: the local cloud has no instances; open notebooks/ in a Jupyter of this machine")
        if not _NAME.fullmatch(self.name) or len(self.name) > _NAME_LENGTH:
            raise StageNameError(
                f"{self.name!r} is no stage: a name has at most {_NAME_LENGTH} lower-case letters, digits and single "
                "hyphens, and begins with a letter, such as local, dev or we-1234-some-feature"
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

    def within(self, concurrency: int) -> Self:
        """Return the stage with sizes that suit an account which runs so many functions at a time.

        No queue and no map takes more than a fifth of them, and nothing is reserved where the account has not enough.
        """
        most = max(_LEAST_CONCURRENCY, concurrency // _SHARE)
        sizes = [size for part in self.parts for size in _values_of(part).values() if isinstance(size, FunctionSize)]
        may_reserve = sum(size.reserved_concurrency or 0 for size in sizes) <= concurrency - _UNRESERVED
        return self.having(*(_fitted(part, most, may_reserve=may_reserve) for part in self.parts))


def _values_of(settings: Any) -> dict[str, Any]:  # noqa: ANN401 - any dataclass
    return {each.name: getattr(settings, each.name) for each in fields(settings)}


def _fitted(settings: Any, most: int, *, may_reserve: bool) -> Any:  # noqa: ANN401 - any dataclass
    """Return the settings of a part with fields of concurrency up to `most`, by their types or names."""
    fitted: dict[str, Any] = {}
    for name, value in _values_of(settings).items():
        if isinstance(value, Batching):
            fitted[name] = replace(value, max_concurrency=min(value.max_concurrency, most))
        elif isinstance(value, FunctionSize) and not may_reserve:
            fitted[name] = replace(value, reserved_concurrency=None)
        elif name.endswith("max_concurrency"):
            fitted[name] = min(value, most)
    return replace(settings, **fitted)


_FEATURE = Stage(name="feature", keeps_data=False, log_retention_days=3, run_retention_days=7)
OF_KIND = {
    StageKind.FEATURE: _FEATURE,
    StageKind.LOCAL: replace(
        _FEATURE,
        name="local",
        account="000000000000",
        region="us-east-1",
        local=True,
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        architecture="arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "x86_64",
    ),
    StageKind.DEV: Stage(name="dev", keeps_data=False, log_retention_days=14, notebook=Notebook()),
    StageKind.LASTING: Stage(name="lasting"),
}
"""Settings that a stage of each kind begins with."""
