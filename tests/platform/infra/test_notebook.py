"""The notebook instance of a stage: where there is one, what it may do, what happens when it starts and is idle."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from infra.platform.notebook import stop_idle
from infra.stage import Notebook, Stage
from tests.support.stages import FEATURE, STAGES
from tests.support.synthesis import ROOT, Synthesis, listed, text

INSTANCE = "AWS::SageMaker::NotebookInstance"


@pytest.mark.parametrize("name", [*STAGES, FEATURE])
def test_dev_alone_has_an_instance_by_itself(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    assert len(synthesis_of(name).template.of_type(INSTANCE)) == (name == "dev")


def test_the_local_cloud_has_none() -> None:
    with pytest.raises(ValueError, match="Jupyter of this machine"):
        Stage(name="local", local=True, notebook=Notebook())


def test_it_reads_tables_and_writes_nothing_but_results_of_queries(dev: Synthesis) -> None:
    granted: dict[str, set[str]] = {}
    for statement in dev.template.statements("NotebookRole"):
        for action in listed(statement["Action"]):
            granted.setdefault(action, set()).update(map(text, listed(statement["Resource"])))
    written = {action: places for action, places in granted.items() if not action.split(":")[1].startswith("Get")}
    assert written.keys() == {
        "s3:ListBucket",
        "s3:PutObject",
        "athena:StartQueryExecution",
        "athena:StopQueryExecution",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sagemaker:StopNotebookInstance",
    }
    (results,) = written["s3:PutObject"]
    assert results.endswith("/athena/*")
    (own,) = written["sagemaker:StopNotebookInstance"]
    assert own.startswith("<NotebookInstance")
    (workgroup,) = granted["athena:StartQueryExecution"]
    assert workgroup.endswith("workgroup/sluice-dev")
    assert {place.partition(":database/")[2] for place in granted["glue:GetTable"]} == {"", "sluice_dev"}
    assert not [place for place in granted["s3:GetObject"] if "SourceBucket" in place or "MediaBucket" in place]


def test_it_starts_when_its_role_has_its_rights(dev: Synthesis) -> None:
    needed = dev.template.named(INSTANCE, "Notebook")["DependsOn"]
    assert [each for each in needed if each.startswith("NotebookRoleDefaultPolicy")]


@pytest.fixture
def script(dev: Synthesis) -> str:
    lifecycle = dev.template.properties("AWS::SageMaker::NotebookInstanceLifecycleConfig", "Notebook")
    return text(lifecycle["OnStart"][0]["Content"]["Fn::Base64"])


_INSTANCE = """#!{python}
import json, os, shutil, sys
from pathlib import Path

name, arguments = Path(sys.argv[0]).name, sys.argv[1:]
match name, arguments:
    case "nohup", _:
        os.execvp(arguments[0], arguments)
    case "sudo", ["-u", "ec2-user", "-i", *command]:
        os.environ["HOME"] = "{home}"
        os.execvp(command[0], command)
    case "aws", ["s3", "cp", "--only-show-errors", source, target]:
        folder = "notebooks" if target == "notebooks.zip" else "layers/sluice"
        shutil.make_archive(target.removesuffix(".zip"), "zip", Path("{root}") / folder)
    case "python3", ["-m", "zipfile", *_]:
        os.execv("{python}", ["{python}", *arguments])
    case "python3", ["-m", "uv", "venv", *_]:
        (made := Path(arguments[-1]) / "bin").mkdir(parents=True)
        (made / "python").symlink_to(sys.argv[0])
if name != "aws":
    with Path("{calls}").open("a") as calls:
        calls.write(json.dumps([name, *arguments]) + "\\n")
"""
"""What an instance has and this machine has not: it does what is harmless, and notes the rest."""


def test_each_start_brings_notebooks_and_code_and_watches_for_idleness(script: str, tmp_path: Path) -> None:
    assert len(script) * 4 / 3 < 16_384, "more than SageMaker takes, once encoded"
    assert script.startswith("#!/bin/bash\nSTAGE=dev\nREGION=<AWS::Region>\nNOTEBOOKS=<s3://")
    programs, home, calls = tmp_path / "programs", tmp_path / "home", tmp_path / "calls"
    programs.mkdir()
    for name in ("nohup", "sudo", "aws", "python3", "systemd-run"):
        (programs / name).write_text(_INSTANCE.format(python=sys.executable, home=home, root=ROOT, calls=calls))
        (programs / name).chmod(0o755)
    here = {"PROGRAMS=/usr/local/bin": f"PROGRAMS={programs}", "LOGS=/var/log": f"LOGS={tmp_path}"}
    for there, replaced in {**here, "=<AWS::Region>": "=eu-central-1", "=<s3": "=s3", ".zip>": ".zip"}.items():
        assert there in script
        script = script.replace(there, replaced)
    for _ in range(2):
        run = ["bash", "-c", f"{script}\nwait"]
        path = {"PATH": f"{programs}:{os.environ['PATH']}"}
        assert subprocess.run(run, env=path, check=False, capture_output=True).stderr == b""
        assert (tmp_path / "set_up_notebooks.log").read_text() == ""
    (work,) = (home / "SageMaker").iterdir()
    assert {path.name for path in (ROOT / "notebooks").glob("*.ipynb")} < {path.name for path in work.iterdir()}
    assert (work / "code" / "sluice" / "pipelines.py").exists()
    timer, *made, kernel = [json.loads(line) for line in calls.read_text().splitlines()]
    assert timer[-2:] == [f"{programs}/stop_idle.py", "60"]
    assert kernel[kernel.index("SLUICE_STAGE") + 1] == "dev"
    installed = [call for call in made if "pip" in call]
    assert [call[-2:] for call in installed] == [["-r", "uv.txt"], ["-r", "requirements.txt"]], "once, not each start"
    assert all("--require-hashes" in call for call in installed)


NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _used(minutes_ago: float, **more: str) -> dict[str, str]:
    return {"last_activity": f"{NOW - timedelta(minutes=minutes_ago):%Y-%m-%dT%H:%M:%S.%fZ}", **more}


@pytest.mark.parametrize(
    ("used", "up_minutes", "idle_minutes"),
    [
        ([_used(90, execution_state="idle"), _used(70)], 600, 70),
        ([_used(90, execution_state="busy"), _used(70)], 600, 0),
        ([_used(90, execution_state="idle")], 20, 20),
        ([], 5, 5),
    ],
    ids=["the last of all counts", "a cell runs", "it has just started", "nobody opened it"],
)
def test_it_is_idle_since_anything_was_used(used: list[Any], up_minutes: int, idle_minutes: int) -> None:
    assert stop_idle.idle_seconds(used, NOW.timestamp(), up_minutes * 60) == idle_minutes * 60


def test_an_instance_that_is_idle_asks_to_be_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "aws").write_text(f"#!/bin/sh\necho $@ >> {tmp_path}/asked")
    (tmp_path / "aws").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    metadata, uptime = tmp_path / "metadata", tmp_path / "uptime"
    metadata.write_text('{"ResourceName": "its-name"}')
    uptime.write_text("4000.5 1.0")
    with _jupyter({"kernels": [{**_used(0), "execution_state": "busy"}], "terminals": []}) as url:
        stop_idle.main(60, url, metadata, uptime)
    assert not (tmp_path / "asked").exists()
    with _jupyter({"kernels": [], "terminals": [_used(100)]}) as url:
        stop_idle.main(60, url, metadata, uptime)
    stop_idle.main(60, url, metadata, uptime)  # Jupyter is gone
    stop_idle.main(70, url, metadata, uptime)
    assert (tmp_path / "asked").read_text().splitlines() == [
        "sagemaker stop-notebook-instance --notebook-instance-name its-name"
    ] * 2


@contextmanager
def _jupyter(answers: dict[str, list[Any]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answers[self.path.removeprefix("/api/")]).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
