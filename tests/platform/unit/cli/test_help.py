"""Every command explains itself."""

import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from cli.main import app


def commands(group: typer.Typer, *path: str) -> list[tuple[str, ...]]:
    named = [(command.name or getattr(command.callback, "__name__", "")) for command in group.registered_commands]
    found = [(*path, name) for name in named]
    for sub in group.registered_groups:
        assert sub.typer_instance is not None
        found += commands(sub.typer_instance, *path, str(sub.name))
    return found


COMMANDS = commands(app)


def test_the_stable_commands_are_there() -> None:
    stable = {("deploy",), ("ingest",), ("convert",), ("query",), ("status",), ("local", "up"), ("local", "down")}
    assert stable <= set(COMMANDS)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_has_an_example_of_the_command(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    assert f"sluice {' '.join(path)}" in result.stdout


@pytest.mark.parametrize("path", [path for path in COMMANDS if path in {("ingest",), ("convert",), ("status",)}])
def test_the_stage_defaults_to_local(path: tuple[str, ...]) -> None:
    assert "[default: local]" in CliRunner().invoke(app, [*path, "--help"]).stdout


def test_what_is_slow_to_import_waits_for_the_commands_that_need_it() -> None:
    slow = {"httpx", "jsonschema", "plotly", "pyarrow"}
    code = f"import sys, cli.main; print(*{slow} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []
