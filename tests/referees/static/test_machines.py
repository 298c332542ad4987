"""AWS's own language service, and a validator by others, read the state machines of every stage."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.referees.static.engine import STATES_LANGUAGE, language
from tests.support.machine_graph import MACHINE, definition_text
from tests.support.stages import FEATURE, STAGES
from tests.support.synthesis import Synthesis

pytestmark = pytest.mark.referee("States-language")


@pytest.fixture(autouse=True)
def _fetched() -> None:
    STATES_LANGUAGE.or_skip()


def test_they_have_nothing_against_the_machines(synthesis_of: Callable[[str], Synthesis], tmp_path: Path) -> None:
    files = []
    for stage in (*STAGES, FEATURE):
        for name, resource in synthesis_of(stage).template.of_type(MACHINE).items():
            files.append(tmp_path / f"{stage}-{name}.json")
            files[-1].write_text(definition_text(resource))
    assert files
    assert _findings(*files) == []


def test_both_find_what_is_wrong(tmp_path: Path) -> None:
    careless = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 1, "Next": "Nowhere"}}}
    file = tmp_path / "careless.json"
    file.write_text(json.dumps(careless))
    said = "\n".join(_findings(file))
    assert "language service: " in said
    assert "asl-validator: " in said


def _findings(*files: Path) -> list[str]:
    script = Path(__file__).with_name("states_language.js")
    command = [Path(sys.executable).with_name("node"), script, language(), *files]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout.splitlines()
