import functools
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from infra.api_pull.settings import ApiPull
from infra.event_files.settings import EventFiles
from infra.platform.observability.settings import Observability, SlackChannel
from infra.recommender.settings import Recommender
from infra.stage import FunctionSize, Stage
from infra.tables.settings import Tables
from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports.client.api import Environment
from tests.support.stages import stage_named
from tests.support.synthesis import Synthesis, synthesise

Settings = TypeVar("Settings", VendorExports, ApiPull)


def _odd(settings: Settings, **odd: Any) -> Settings:
    """Return settings none of which is the one given, and no two are the same; some of them as they are given."""
    for number, field in enumerate(fields(settings), start=101):
        match getattr(settings, field.name):
            case FunctionSize():
                odd[field.name] = FunctionSize(memory_mb=200 + number, timeout_seconds=100 + number)
            case int() if field.name not in odd:
                odd[field.name] = number
            case tuple():
                odd[field.name] = (f"ONE_{number}", f"TWO_{number}")
            case str() if field.name not in odd:
                odd[field.name] = f"https://odd-{number}.example"
    return replace(settings, **odd)


ODD_EXPORTS = _odd(VendorExports(), environment=Environment.PROD, schedule="cron(7 * * * ? *)")
ODD_PULLS = _odd(ApiPull(), has_header=True, schedule="cron(9 2 * * ? *)")

ODD = Stage(name="odd").having(
    EventFiles(),
    ODD_EXPORTS,
    Tables(),
    ODD_PULLS,
    Recommender(),
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
