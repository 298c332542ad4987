from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from infra import stage as stages
from infra.settings import FunctionSize
from infra.stage import Stage
from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports.client.environment import Environment
from tests.support.machine_graph import Machine, machine
from tests.support.synthesis import Synthesis, synthesise

FEATURE = "we-1234-some-feature"

ODD = Stage(
    name="odd",
    exports=VendorExports(
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
    ),
)
"""A stage none of whose settings of the exports is the default, and no two are the same."""


@pytest.fixture(scope="session")
def synthesis_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Synthesis]:
    """Synthesise a stage when a test first asks for it; a synthesis takes seconds, a failing one too."""

    @functools.cache
    def attempt(stage: str) -> Synthesis | RuntimeError:
        try:
            return synthesise(stage, Path(tmp_path_factory.mktemp(stage)))
        except RuntimeError as error:
            return error

    def of(stage: str) -> Synthesis:
        synthesis = attempt(stage)
        if isinstance(synthesis, RuntimeError):
            pytest.fail(f"stage {stage} does not synthesise: {synthesis}", pytrace=False)
        return synthesis

    return of


@pytest.fixture(params=["dev", "prd"])
def stage(request: pytest.FixtureRequest, synthesis_of: Callable[[str], Synthesis]) -> Synthesis:
    """A stage whose buckets are its own (dev) and one with the producers' buckets (prd)."""
    return synthesis_of(request.param)


@pytest.fixture(scope="session")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """The stage `ODD`: what a test finds of a setting can only have come from it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(stages._STAGES, ODD.name, ODD)
        return synthesise(ODD.name, Path(tmp_path_factory.mktemp(ODD.name)))


@pytest.fixture
def prd(synthesis_of: Callable[[str], Synthesis]) -> Synthesis:
    return synthesis_of("prd")


@pytest.fixture
def dev(synthesis_of: Callable[[str], Synthesis]) -> Synthesis:
    return synthesis_of("dev")


@pytest.fixture
def export(stage: Synthesis) -> Machine:
    return machine(stage.exports, "Export")
