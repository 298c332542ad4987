"""Settings that all stages share; those of a pipeline are tested with it."""

import ast
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from infra.platform.observability.settings import Observability
from infra.stage import FunctionSize
from tests.support.stages import FEATURE, STAGES, stage_named
from tests.support.synthesis import ROOT

ALL = [*STAGES, FEATURE]


@pytest.mark.parametrize("name", ALL)
def test_every_stage_has_its_own_names(name: str) -> None:
    stage = stage_named(name)
    assert stage.name == name
    assert name in stage.stack_name
    assert name in stage.resource_prefix
    assert stage.database.removeprefix("sluice_").replace("_", "-") == name


def test_settings_are_frozen() -> None:
    for settings in (stage_named("dev"), *stage_named("dev").parts):
        with pytest.raises(FrozenInstanceError):
            setattr(settings, fields(settings)[0].name, None)


def test_settings_of_a_part_are_replaced_as_a_whole() -> None:
    stage = stage_named("prd").having(Observability(pages=False))
    assert not stage.settings(Observability).pages
    assert len(stage.parts) == len(stage_named("prd").parts)


@pytest.mark.parametrize("name", [FEATURE, "local"])
def test_a_passing_stage_leaves_nothing_behind(name: str) -> None:
    stage = stage_named(name)
    assert not stage.keeps_data
    assert stage.settings(Observability).alarms is stage.local, "there in the template only"
    assert stage.log_retention_days <= 3


def test_production_keeps_its_data_and_reads_the_producers_buckets() -> None:
    stage = stage_named("prd")
    assert stage.keeps_data
    assert stage.settings(Observability).alarms
    assert stage.source.existing
    assert stage.media.existing
    assert stage.log_retention_days >= 90


@pytest.mark.parametrize("name", ALL)
def test_no_function_outlives_lambda(name: str) -> None:
    values = [getattr(part, field.name) for part in stage_named(name).parts for field in fields(part)]
    sizes = [value for value in values if isinstance(value, FunctionSize)]
    assert len(sizes) >= 20
    for size in sizes:
        assert size.timeout_seconds <= 900
        assert 128 <= size.memory_mb <= 10_240


@pytest.mark.parametrize("path", [ROOT / "app.py", *sorted((ROOT / "infra").rglob("*.py"))], ids=lambda p: p.name)
def test_nothing_in_infra_reads_the_environment(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not names & {"environ", "getenv", "environb"}
