"""Settings of a stage's vendor exports."""

from dataclasses import dataclass
from typing import Annotated, Self

from infra.stage import MEBIBYTE, FunctionSize, Positive, ScheduleExpression, StageKind
from infra.typed_table import Matching
from sluice.vendor_exports.client.api import Environment

_HttpsUrl = Annotated[str, Matching(r"https://[^/@\s]+", '"https://api.example.com", without a slash at its end')]
_Host = Annotated[str, Matching(r"[a-z0-9-]+(\.[a-z0-9-]+)+", '"exports.s3.eu-west-1.amazonaws.com"')]
_PLACEHOLDER = "SLUICE"


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorExports:
    """Settings of the vendor exports; the schedule is in UTC, None means: by hand only.

    `download_hosts` are the complete names of the hosts that the vendor's presigned URLs may lead to; an export of a
    host that is missing here says so. `out_of_scope` are tables of the vendor's schema that are not expected.
    """

    environment: Environment = Environment.TEST
    company: Annotated[str, Matching(r"[\w.-]+", '"ACME", as in the vendor\'s URLs')] = _PLACEHOLDER
    auth_url: _HttpsUrl = "https://auth.veslink.com"
    export_url: _HttpsUrl = "https://emea.veslink.com"
    files_url: _HttpsUrl = "https://api.veslink.com"
    download_hosts: tuple[_Host, ...] = ()
    out_of_scope: tuple[str, ...] = ()

    schedule: ScheduleExpression | None = None  # hourly: a slot is the hour its run is started in
    patience_seconds: Positive = 75 * 60  # for the vendor to take a job, one an hour; as much to give its files
    first_wait_seconds: int = 120
    poll_seconds: Positive = 60  # at least, between two checks of the job, and two rounds with a busy vendor
    deadline_seconds: Positive = 90 * 60  # for a job to be complete; 15 to 25 minutes are usual
    timeout_minutes: Positive = 375  # of an execution: patience twice, deadline and copying
    vendor_timeout_seconds: Positive = 60  # that one request waits in all; more while bytes come
    pause_milliseconds: int = 1000  # before the second attempt of a request, at most; then doubling

    rounds: Positive = 3  # of copying what is missing, by new URLs
    batch_files: Positive = 25
    batch_bytes: Positive = 256 * MEBIBYTE
    max_file_bytes: Positive = 20 * 1024 * MEBIBYTE
    copy_max_concurrency: Positive = 10

    history_slots: Positive = 240  # hours one update makes up for
    history_timeout_minutes: Positive = 120
    observe_max_concurrency: Positive = 10

    # Thresholds of alarms.
    late_minutes: Positive = 45  # an export may take; 15 to 25 are usual
    absent_hours: Positive = 3  # without an export that succeeds

    claim_slot: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=60)
    trigger_job: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=480)
    check_job: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=480)
    list_files: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=480)
    copy_files: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=900)
    check_delivery: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=300)
    record_result: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=60)
    update_history: FunctionSize = FunctionSize(memory_mb=2048, timeout_seconds=900)
    plan_history: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=300)
    observe_hours: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=900)

    def __post_init__(self) -> None:
        """Refuse a schedule of exports that could not but fail, hour by hour.

        Raises:
            ValueError: What they need is missing.
        """
        if self.schedule and self.company == _PLACEHOLDER:
            raise ValueError("with a schedule, company is needed: your name in the vendor's URLs")
        if self.schedule and not self.download_hosts:
            raise ValueError(
                "with a schedule, download_hosts are needed: run one export by hand: its reasons name them"
            )

    @classmethod
    def of(cls, kind: StageKind) -> Self:
        """Return the settings of a kind of stage."""
        match kind:
            case StageKind.LOCAL:
                return cls(
                    # The machine's waits take a hundredth of their time there; those inside functions are shortened.
                    vendor_timeout_seconds=3,
                    pause_milliseconds=20,
                    copy_max_concurrency=2,
                    observe_max_concurrency=2,
                )
            case StageKind.FEATURE | StageKind.DEV | StageKind.LASTING:
                return cls()
