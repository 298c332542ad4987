"""Settings of a stage's pulls of the application's API."""

from dataclasses import dataclass
from typing import Annotated, Self

from infra.stage import MEBIBYTE, FunctionSize, Positive, ScheduleExpression, StageKind
from infra.typed_table import Between, Matching

_SourceUrl = Annotated[
    str, Matching(r"(https://[^@\s]+[^@\s/])?", '"https://api.example.com", without a slash at its end')
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPull:
    """Settings of the pulls; the schedule is in UTC, None means: by hand only.

    With `has_header`, the stage has a secret for the name and the value of a header that goes with every request.
    """

    source_url: _SourceUrl = ""
    has_header: bool = False
    schedule: ScheduleExpression | None = None  # daily: the snapshot is that of the day the run is started on
    timeout_minutes: Positive = 480  # of an execution

    page_size: Annotated[int, Between(1, 100)] = 100
    restarts: Annotated[int, Between(0, 10)] = 3  # of an endpoint whose rows move; then those of all attempts count
    max_pages: Positive = 50_000  # of one attempt at an endpoint
    max_bytes: Positive = 8 * 1024 * MEBIBYTE  # of all attempts at an endpoint
    max_seconds: Positive = 3 * 60 * 60  # of an endpoint's extraction
    part_bytes: Positive = 16 * MEBIBYTE  # of pages that are kept, and checked, together
    load_max_concurrency: Positive = 10  # functions that load the mart at a time
    patience_seconds: Positive = 30 * 60  # for an API that is busy or away
    wait_seconds: Positive = 60  # at least, between two looks at it
    request_timeout_seconds: Positive = 20
    pause_milliseconds: int = 1000  # before the second attempt of a request, at most; then doubling
    raw_retention_days: Positive = 90
    dirty_retention_days: Positive = 365

    # Thresholds of alarms.
    late_minutes: Positive = 120
    absent_hours: Positive = 26  # without a pull that is complete

    begin_pull: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=60)
    check_source: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=300)
    extract_pages: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=900)
    check_rows: FunctionSize = FunctionSize(memory_mb=3008, timeout_seconds=900)
    keep_snapshot: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=300)
    begin_load: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=120)
    load_part: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=900)
    publish_loads: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=120)
    sweep_loads: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=900)
    record_pull: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=60)

    @property
    def last_request_seconds(self) -> int:
        """Seconds that one more page may take: five attempts, and the longest pauses between them."""
        return 5 * self.request_timeout_seconds + 4 * 30 + 30

    def __post_init__(self) -> None:
        """Refuse a schedule of pulls that could not but fail. Raises ValueError: there is no source."""
        if self.schedule and not self.source_url:
            raise ValueError("with a schedule, source_url is needed: the address of the application's API")

    @classmethod
    def of(cls, kind: StageKind) -> Self:
        """Return the settings of a kind of stage."""
        if kind is StageKind.LOCAL:
            return cls(
                # The machine's waits take a hundredth of their time there; those inside functions are shortened.
                request_timeout_seconds=3,
                pause_milliseconds=20,
                patience_seconds=300,
                max_pages=2_000,
                load_max_concurrency=2,
            )
        return cls()
