"""Synth needs Python and Node: no network, no account, no git, no Docker, no package installer."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from aws_cdk import App

from app import main
from tests.support.stages import EXAMPLE
from tests.support.synthesis import ROOT, settings

NO_SOCKETS_IN_PYTHON = """
import sys
def guard(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError(f"the network was asked for: {event} {arguments}")
sys.addaudithook(guard)
"""
NO_SOCKETS_IN_NODE = """
const refuse = (what) => () => { throw new Error(`the network was asked for: ${what}`); };
require("net").Socket.prototype.connect = refuse("connect");
require("dns").lookup = refuse("lookup");
"""


@pytest.fixture
def lonely(tmp_path: Path) -> dict[str, str]:
    """An environment with Python and Node on its path and nothing else, where the network raises."""
    programs = tmp_path / "bin"
    programs.mkdir()
    node = shutil.which("node", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert node
    (programs / "node").symlink_to(node)
    (tmp_path / "sitecustomize.py").write_text(NO_SOCKETS_IN_PYTHON)
    (tmp_path / "guard.js").write_text(NO_SOCKETS_IN_NODE)
    return {
        "PATH": str(programs),
        "HOME": os.environ.get("HOME", str(tmp_path)),  # the CDK's library unpacks itself once per home
        "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", ""),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT), str(ROOT / "layers")]),
        "NODE_OPTIONS": f"--require {tmp_path / 'guard.js'}",
        "CDK_OUTDIR": str(tmp_path / "out"),
    }


def test_synth_needs_nothing_but_python_and_node(lonely: dict[str, str], tmp_path: Path) -> None:
    done = _synth({**settings(), "stage": "prd", "stages": str(EXAMPLE)}, lonely)
    assert done.returncode == 0, done.stderr
    made = {path.name for path in (tmp_path / "out").glob("*.template.json")}
    assert made == {"Sluice-prd.template.json"}


def test_a_wrong_stage_name_is_one_clear_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.App", lambda: App(context={"stage": "Not_A_Stage"}))
    with pytest.raises(SystemExit, match=r"^error: 'Not_A_Stage' is no stage: a name has at most .*$"):
        main()


def _synth(context: dict[str, object], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env={**environment, "CDK_CONTEXT_JSON": json.dumps(context)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
