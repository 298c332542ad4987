"""Commands that are shown of keys somebody chose to harm whoever pastes them."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from cli.platform.session import Deployment
from cli.platform.sql import assert_reads
from tests.event_files.integration.cli.test_file import stage
from tests.support.cli_environment import sluice
from tests.support.moto.stage import MotoStage
from tests.support.sample_events import body, event

__all__ = ["stage"]

ARGUMENTS = f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n"
KEYS = (
    "$(touch harmed)",
    "`touch harmed`",
    '"; touch harmed; "',
    "'; touch harmed; '",
    "' or 1=1 --",
    "\\",
    "!!",
    "a\nb; touch harmed",
    "\x1b]52;c;dG91Y2ggaGFybWVk\x07",
    "[red]%s[/]",
    "\u202etxt.exe",
)


@pytest.mark.parametrize("key", KEYS)
def test_a_command_with_a_hostile_key_asks_for_that_key(
    key: str, stage: Deployment, moto_stage: MotoStage, tmp_path: Path
) -> None:
    assert stage
    moto_stage.validate(moto_stage.put(f"in/{key}", body(event("MICROONE_EVENT", 1))))
    moto_stage.convert()
    command = sluice("file", f"in/{key}").stdout.partition("\nsluice query ")[2]
    program = tmp_path / "sluice"
    program.write_text(ARGUMENTS)
    program.chmod(0o755)
    ran = subprocess.run(
        ["/bin/bash", "-c", f"PATH={tmp_path}:$PATH; sluice query {command}"],
        cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    asked, sql = json.loads(ran.stdout)
    assert asked == "query"
    assert_reads(sql)
    condition = sql.partition(" where _source_key = ")[2]
    ((asked_for,),) = duckdb.connect().execute(f"select {condition}").fetchall()
    assert asked_for == f"in/{key}"
    assert [path.name for path in tmp_path.iterdir()] == ["sluice"]
