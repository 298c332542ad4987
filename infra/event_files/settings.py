"""Settings of a stage's event files."""

from dataclasses import dataclass
from typing import Annotated, Self

from infra.stage import MEBIBYTE, Batching, FunctionSize, Percent, Positive, ScheduleExpression, StageKind
from infra.typed_table import Between
from sluice.event_files.ledger.model import CONVERTED_DAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFiles:
    """Settings of event files; schedules are in UTC, None means: by hand only."""

    # One ledger transaction holds 100 records: 98 files, their chunk and one to spare.
    files: Batching = Batching(messages=98, window_seconds=20, max_concurrency=50)
    media: Batching = Batching(messages=100, window_seconds=20, max_concurrency=5)
    chunk_bytes: Positive = 16 * MEBIBYTE  # clean JSON a chunk holds before the next one is begun
    max_file_bytes: Positive = 256 * MEBIBYTE  # a source object larger than this, unpacked, is refused as dirty
    # A file's time is its LastModified. An old file that is copied gets a new one, so ten years back are plausible;
    # clocks and time zones are wrong by a day at most. A month's archive has 744 hours, each a file of every table.
    event_days_before_file: Positive = 3653  # an event that is older than its file by more is dirty
    event_days_after_file: Positive = 2  # an event that is newer than its file by more is dirty
    max_file_hours: Positive = 1000  # a file with clean events of more hours (UTC) is refused as dirty

    conversion_schedule: ScheduleExpression | None = "rate(15 minutes)"
    conversion_timeout_minutes: Positive = 60
    batch_bytes: Positive = 32 * MEBIBYTE  # clean JSON per conversion batch, and of all batches that one call converts
    convert_max_concurrency: Positive = 20
    sweep_schedule: ScheduleExpression | None = "cron(30 3 * * ? *)"
    probe_schedule: ScheduleExpression | None = "rate(5 minutes)"
    dirty_retention_days: Annotated[int, Between(1, CONVERTED_DAYS - 10)] = 90  # dirty and unrelated records

    # Thresholds of alarms.
    dirty_percent: Percent = 5  # of clean and dirty events
    dirty_least_events: int = 100  # clean and dirty, in 15 minutes; with fewer, no ratio is looked at
    dirty_files: int = 0  # files without a clean event, in 15 minutes
    dirty_least_bytes: Positive = MEBIBYTE  # read in 15 minutes; with fewer, no ratio of bytes is looked at
    dirty_band: float = 4  # standard deviations from the usual ratio
    dirty_least_percent: Percent = 1  # a ratio below is never unusual
    pending_minutes: Positive = 45  # age of the oldest chunk that waits for its conversion
    quiet_hours: Positive = 24  # age of the newest hour that any table has rows of

    validate_files: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=180)  # two thirds of it for one file
    index_media: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=120)
    plan_conversion: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=300)
    convert_batch: FunctionSize = FunctionSize(memory_mb=2048, timeout_seconds=300)
    commit_conversion: FunctionSize = FunctionSize(memory_mb=1769, timeout_seconds=900)  # looks into each new file
    profile_run: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=300)
    sweep_orphans: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=900)
    probe_lag: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=120)

    @property
    def file_seconds(self) -> int:
        """Seconds that a call of validate_files may take for one file: there is time left to commit the others."""
        return 2 * self.validate_files.timeout_seconds // 3

    @classmethod
    def of(cls, kind: StageKind) -> Self:
        """Return the settings of a kind of stage."""
        match kind:
            case StageKind.LOCAL:
                return cls(
                    conversion_schedule=None,
                    sweep_schedule=None,
                    probe_schedule=None,
                    dirty_retention_days=7,
                    validate_files=FunctionSize(memory_mb=1024, timeout_seconds=60),
                    # The emulator starts a process per concurrent call: as many as a small laptop carries.
                    files=Batching(messages=98, window_seconds=1, max_concurrency=2),
                    media=Batching(messages=100, window_seconds=1, max_concurrency=2),
                    convert_max_concurrency=2,
                )
            case StageKind.FEATURE:
                return cls(conversion_schedule=None, sweep_schedule=None, probe_schedule=None, dirty_retention_days=7)
            case StageKind.DEV:
                return cls(conversion_schedule="rate(1 hour)", pending_minutes=150)
            case StageKind.LASTING:
                return cls()
