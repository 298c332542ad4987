"""Settings of a stage's vendor exports."""

from dataclasses import dataclass
from typing import Self

from infra.stage import MEBIBYTE, FunctionSize, StageKind
from sluice.vendor_exports.client.api import Environment


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorExports:
    """Settings of the vendor exports; schedules are in UTC, None means: by hand only.

    `download_hosts` are the complete names of the hosts that the vendor's presigned URLs may lead to; an export of a
    host that is missing here says so. `out_of_scope` are tables of the vendor's schema that are not expected.
    """

    environment: Environment = Environment.TEST
    company: str = "SLUICE"
    auth_url: str = "https://auth.veslink.com"
    export_url: str = "https://emea.veslink.com"
    files_url: str = "https://api.veslink.com"
    download_hosts: tuple[str, ...] = ()
    out_of_scope: tuple[str, ...] = ()

    schedule: str | None = "cron(2 * * * ? *)"  # a slot is the hour its run is started in
    patience_seconds: int = 75 * 60  # for the vendor to take a job, one an hour; as much to give its files
    first_wait_seconds: int = 120
    poll_seconds: int = 60  # at least, between two checks of the job, and two rounds with a busy vendor
    deadline_seconds: int = 90 * 60  # for a job to be complete; 15 to 25 minutes are usual
    timeout_minutes: int = 360  # of an execution: patience twice, deadline and copying
    vendor_timeout_seconds: int = 60  # of one request without a byte
    pause_milliseconds: int = 1000  # before the second attempt of a request, at most; then doubling

    rounds: int = 3  # of copying what is missing, by new URLs
    batch_files: int = 25
    batch_bytes: int = 256 * MEBIBYTE
    max_file_bytes: int = 20 * 1024 * MEBIBYTE
    copy_max_concurrency: int = 10

    history_slots: int = 240  # hours one update makes up for
    history_timeout_minutes: int = 120
    observe_max_concurrency: int = 10

    # Thresholds of alarms.
    late_minutes: int = 45  # an export may take; 15 to 25 are usual
    absent_hours: int = 3  # without a whole delivery

    claim_slot: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=60)
    trigger_job: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=300)
    check_job: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=300)
    list_files: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=300)
    copy_files: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=900)
    check_delivery: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=300)
    record_result: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=60)
    update_history: FunctionSize = FunctionSize(memory_mb=2048, timeout_seconds=900)
    plan_history: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=300)
    observe_hours: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=900)

    @classmethod
    def of(cls, kind: StageKind) -> Self:
        """Return the settings of a kind of stage."""
        match kind:
            case StageKind.LOCAL:
                return cls(
                    schedule=None,
                    # The machine's waits take a hundredth of their time there; those inside functions are shortened.
                    vendor_timeout_seconds=3,
                    pause_milliseconds=20,
                    copy_max_concurrency=2,
                    observe_max_concurrency=2,
                )
            # The vendor runs one Test job an hour: of dev and int only one can have a schedule.
            case StageKind.FEATURE | StageKind.DEV:
                return cls(schedule=None)
            case StageKind.INT:
                return cls()
            case StageKind.PRD:
                return cls(environment=Environment.PROD)
