"""Stages for tests: those that are built in, and those of the example, whatever file of stages an operator has."""

import tomllib
from dataclasses import replace
from pathlib import Path

from infra import stage_file
from infra.stage import Stage

EXAMPLE = Path(__file__).resolve().parents[2] / "stages.example.toml"
FEATURE = "we-1234-some-feature"
STAGES = ("local", "dev", *tomllib.loads(EXAMPLE.read_text()))


def stage_named(name: str) -> Stage:
    """Return the stage of that name, in whatever account and region: templates then show them by reference."""
    stage = stage_file.stage_named(name, EXAMPLE)
    return stage if stage.local or stage.source.owner else replace(stage, account=None, region=None)
