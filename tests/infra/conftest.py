from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.infra.synthesis import Synthesis, synthesise

FEATURE = "we-1234-some-feature"


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


@pytest.fixture
def prd(synthesis_of: Callable[[str], Synthesis]) -> Synthesis:
    return synthesis_of("prd")


@pytest.fixture
def dev(synthesis_of: Callable[[str], Synthesis]) -> Synthesis:
    return synthesis_of("dev")
