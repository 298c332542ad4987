import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.event_files.settings import EventFiles
from infra.platform.observability.settings import Observability, SlackChannel
from infra.settings import FunctionSize
from infra.stage import Stage, stage_named
from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports.client.environment import Environment
from tests.support.synthesis import Synthesis, synthesise

FEATURE = "we-1234-some-feature"

ODD_EXPORTS = VendorExports(
    environment=Environment.PROD,
    company="ODD",
    auth_url="https://auth.odd.example",
    export_url="https://export.odd.example",
    files_url="https://files.odd.example",
    download_hosts=("one.odd.example", "two.odd.example"),
    out_of_scope=("ODDITIES", "CURIOSITIES"),
    schedule="cron(7 * * * ? *)",
    patience_seconds=1001,
    first_wait_seconds=102,
    poll_seconds=103,
    deadline_seconds=1004,
    timeout_minutes=105,
    vendor_timeout_seconds=16,
    pause_milliseconds=1007,
    rounds=8,
    batch_files=9,
    batch_bytes=1010,
    max_file_bytes=1011,
    copy_max_concurrency=12,
    history_slots=113,
    history_timeout_minutes=114,
    observe_max_concurrency=15,
    claim_slot=FunctionSize(memory_mb=301, timeout_seconds=201),
    trigger_job=FunctionSize(memory_mb=302, timeout_seconds=202),
    check_job=FunctionSize(memory_mb=303, timeout_seconds=203),
    list_files=FunctionSize(memory_mb=304, timeout_seconds=204),
    copy_files=FunctionSize(memory_mb=305, timeout_seconds=205),
    check_delivery=FunctionSize(memory_mb=306, timeout_seconds=206),
    record_result=FunctionSize(memory_mb=307, timeout_seconds=207),
    update_history=FunctionSize(memory_mb=308, timeout_seconds=208),
    plan_history=FunctionSize(memory_mb=309, timeout_seconds=209),
    observe_hours=FunctionSize(memory_mb=310, timeout_seconds=210),
    late_minutes=46,
    absent_hours=4,
)
"""Settings of the exports none of which is the default, and no two are the same."""

ODD = Stage(name="odd").having(
    EventFiles(),
    ODD_EXPORTS,
    Observability(
        emails=("a@example.com", "b@example.com"),
        slack=SlackChannel(workspace="T01", channel="C01"),
        daily_digest=None,
        weekly_digest="cron(7 6 ? * TUE *)",
    ),
)
"""A stage with odd settings: what a test finds of them can only have come from here."""


@pytest.fixture(scope="session")
def synthesis_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesis]:
    """Synthesise a stage when a test first asks for it; a synthesis takes a second, a failing one too."""

    @functools.cache
    def attempt(name: str) -> Synthesis | RuntimeError:
        stage = ODD if name == ODD.name else stage_named(name)
        try:
            return synthesise(stage, Path(tmp_path_factory.mktemp(name)))
        except RuntimeError as error:
            return error

    def of(name: str) -> Synthesis:
        synthesis = attempt(name)
        if isinstance(synthesis, RuntimeError):
            pytest.fail(f"stage {name} does not synthesise: {synthesis}", pytrace=False)
        return synthesis

    return of


@pytest.fixture(params=["dev", "prd"])
def stage(request: pytest.FixtureRequest, synthesis_of: Callable[[str], Synthesis]) -> Synthesis:
    """A stage whose buckets are its own (dev) and one with the producers' buckets (prd)."""
    return synthesis_of(request.param)


@pytest.fixture
def odd(synthesis_of: Callable[[str], Synthesis]) -> Synthesis:
    return synthesis_of("odd")


@pytest.fixture
def prd(synthesis_of: Callable[[str], Synthesis]) -> Synthesis:
    return synthesis_of("prd")


@pytest.fixture
def dev(synthesis_of: Callable[[str], Synthesis]) -> Synthesis:
    return synthesis_of("dev")
