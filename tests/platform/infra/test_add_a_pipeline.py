"""The pipeline of `docs/add-a-pipeline.md` works as it stands there, with four lines in files that exist."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.synthesis import ROOT

GUIDE = (ROOT / "docs" / "add-a-pipeline.md").read_text()
NEW_FILES = dict(re.findall(r"^`([\w/]+\.py)`:\n\n```python\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE))
LINES = dict(re.findall(r"^`([\w/]+\.py)`:\n\n```diff\n\+(.*?\n)```$", GUIDE, re.DOTALL | re.MULTILINE))
COPIED = (
    "app.py",
    "cdk.json",
    "pyproject.toml",
    "stages.example.toml",
    "cli",
    "docs",
    "functions",
    "infra",
    "layers",
    "notebooks",
    "tests",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with the guide's files and lines."""
    folder = tmp_path_factory.mktemp("project")
    for name in COPIED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        copy(ROOT / name, folder / name)
    for name, content in NEW_FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for package in (project_tests := folder / "tests" / "source_inventory", project_tests / "unit"):
        (package / "__init__.py").touch()
    for name, line in LINES.items():
        path = folder / name
        before, last, after = re.split(r"(^.*vendor_exports.*\n)", path.read_text(), maxsplit=1, flags=re.MULTILINE)
        path.write_text(f"{before}{last}{line}{after}")
    return folder


def call(project: Path, *command: str) -> None:
    path = os.pathsep.join(map(str, (project, project / "layers")))
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_folders_of_its_own_and_four_lines() -> None:
    assert set(LINES) == {"app.py", "infra/stage.py", "layers/sluice/pipelines.py", "cli/pipelines.py"}
    assert all(line.count("\n") == 1 for line in LINES.values())
    rooms = {name.rpartition("source_inventory/")[0] for name in NEW_FILES}
    assert rooms == {"layers/sluice/", "functions/", "infra/", "cli/", "tests/"}


def test_status_runs_digest_dashboards_and_alarms_show_it(project: Path) -> None:
    """The platform's own tests hold for three pipelines, too: a fifth place would fail here."""
    seen = ["tests/support/example_pipeline.py", "tests/source_inventory"]
    shared = ["tests/platform/infra/test_parts.py", "tests/platform/infra/observability/test_alarms.py"]
    call(project, "pytest", "-q", "-p", "no:cacheprovider", *seen, *shared)


def test_it_keeps_the_rules(project: Path) -> None:
    files = [str(project / name) for name in NEW_FILES]
    call(project, "ruff", "check", "--no-cache", *files)
    call(project, "ruff", "format", "--no-cache", "--check", *files)
    call(project, "importlinter.cli", "lint")
