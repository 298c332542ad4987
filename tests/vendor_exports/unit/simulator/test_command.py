"""`sluice vendor` runs the simulator."""

import json
import signal
import socket
import subprocess
import sys
from types import SimpleNamespace

import boto3
import httpx
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.platform.session import Deployment
from cli.simulator.access import Credentials
from cli.simulator.fault_catalogue import CATALOGUE
from cli.vendor_exports import vendor as command


def test_all_faults_are_listed() -> None:
    shown = CliRunner().invoke(app, ["vendor", "--list-faults"])
    assert shown.exit_code == 0
    assert all(name in shown.stdout for name in CATALOGUE)
    documented = CliRunner().invoke(app, ["vendor", "--list-faults", "--json"])
    assert set(json.loads(documented.stdout)) == set(CATALOGUE)


def test_an_unknown_fault_is_refused() -> None:
    result = CliRunner().invoke(app, ["vendor", "--fault", "job-failed", "--fault", "nonsense"])
    assert result.exit_code == 1
    assert "There is no fault 'nonsense'." in result.stderr


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(app, ["vendor", "--port", str(port)])
    assert result.exit_code == 1
    assert f"Port {port} cannot be used" in result.stderr


@pytest.mark.parametrize(("endpoint", "theirs"), [("http://localhost:4566", True), (None, False)])
def test_it_accepts_the_secret_of_any_stage_in_the_local_cloud_and_of_no_other(
    endpoint: str | None, theirs: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Credentials(client_id="of-the-stage", client_secret="secret")
    monkeypatch.setattr(command, "connect", lambda name: Deployment(name, boto3.Session(), endpoint))
    monkeypatch.setattr(command, "simulator_credentials", lambda _: read)
    interrupted = SimpleNamespace(wait=lambda: signal.raise_signal(signal.SIGINT))
    monkeypatch.setattr(command, "threading", SimpleNamespace(Event=lambda: interrupted))
    shown = CliRunner().invoke(app, ["vendor", "--stage", "ours", "--json"])
    assert (json.loads(shown.stdout)["client_id"] == read.client_id) is theirs


@pytest.mark.parametrize("how", [["--json"], []])
def test_it_prints_its_url_and_ends_when_interrupted(how: list[str]) -> None:
    command = [sys.executable, "-u", "-m", "cli.main", "vendor", "--fault", "token-server-error", *how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            url = next(line for line in process.stdout if "http://" in line).split("http://")[1].strip('",\n')
            assert httpx.post(f"http://{url}/connect/token", trust_env=False).status_code == 503
            process.send_signal(signal.SIGINT)
            assert process.wait() == 0
        finally:
            process.kill()
