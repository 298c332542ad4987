import io
import json
import os
import signal
import socket
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from cli.platform import local_cloud
from cli.platform.console import CliError
from cli.platform.local_cloud import LocalCloud
from tests.support.local.deployed_cloud import free_port

HANDLER = "import os\ndef handler(event, context): return {'pid': os.getpid(), 'environment': dict(os.environ)}\n"

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cloud of this test's own, gone at its end."""
    folder = tmp_path / "cloud"
    monkeypatch.setenv(local_cloud.FOLDER_VARIABLE, str(folder))
    yield folder
    local_cloud.stop()


@pytest.fixture
def port() -> int:
    return free_port()


def test_it_goes_up_once_and_down_whole(folder: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ROLE_ARN", "somebody")
    monkeypatch.setenv("A_SECRET_OF_THIS_SHELL", "x")
    assert local_cloud.running_cloud() is None
    cloud = local_cloud.start(port)
    assert local_cloud.running_cloud() == local_cloud.start() == local_cloud.start(port) == cloud
    assert cloud.endpoint == f"http://localhost:{port}"
    worker = call_a_function(cloud)
    assert worker["environment"]["AWS_ENDPOINT_URL"] == f"http://127.0.0.1:{port}"
    assert not worker["environment"].keys() & {"AWS_ROLE_ARN", "A_SECRET_OF_THIS_SHELL", "PYTHONPATH"}
    assert local_cloud.stop() is True
    for process in (cloud.pid, worker["pid"]):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    assert not folder.exists()
    assert local_cloud.running_cloud() is None
    assert local_cloud.stop() is False


@pytest.mark.usefixtures("folder")
def test_one_cloud_at_a_time(port: int) -> None:
    local_cloud.start(port)
    with pytest.raises(CliError, match=f"up already, at port {port}"):
        local_cloud.start(port + 1)


@pytest.mark.usefixtures("folder")
def test_a_cloud_that_was_killed_is_not_up_and_can_go_up_again(port: int) -> None:
    killed = local_cloud.start(port)
    os.kill(killed.pid, signal.SIGKILL)
    os.waitpid(killed.pid, 0)
    assert local_cloud.running_cloud() is None
    assert local_cloud.start(port).pid != killed.pid


def test_a_folder_of_somebody_elses_files_is_left_alone(folder: Path, port: int) -> None:
    folder.mkdir()
    (folder / "thesis.md").write_text("whole")
    for command in (lambda: local_cloud.start(port), local_cloud.stop):
        with pytest.raises(CliError, match="nothing was deleted"):
            command()
    (folder / "thesis.md").unlink()


def test_a_port_that_another_program_has_is_named(folder: Path, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)), pytest.raises(CliError, match=f"Port {port} is taken"):
        local_cloud.start(port)
    assert not folder.exists()


@pytest.mark.usefixtures("folder")
def test_an_emulator_that_ends_at_once_says_why(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = local_cloud._environment(port, {}) | {"GATEWAY_PORT": "no-port"}
    monkeypatch.setattr(local_cloud, "_environment", lambda *_: broken)
    with pytest.raises(CliError, match=r"ended at once(.|\n)*no-port"):
        local_cloud.start(port)
    assert local_cloud.running_cloud() is None


@pytest.mark.usefixtures("folder")
def test_it_listens_on_the_loopback_interface_and_enforces_iam(port: int) -> None:
    environment = local_cloud._environment(port, {})
    assert environment["BIND_HOST"] == "127.0.0.1"
    assert environment["AUTH"] == "true"


def call_a_function(cloud: LocalCloud) -> dict[str, Any]:
    """Make a function, call it, and return what it says of the process it runs in."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as packed:
        packed.writestr("index.py", HANDLER)
    session = boto3.Session(cloud.access_key_id, cloud.secret_access_key, region_name=local_cloud.REGION)
    roles = session.client("iam", endpoint_url=cloud.endpoint)
    functions = session.client("lambda", endpoint_url=cloud.endpoint)
    role = roles.create_role(RoleName="teller", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    functions.create_function(
        FunctionName="tell",
        Runtime="python3.13",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": package.getvalue()},
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="tell", WaiterConfig={"Delay": 1})
    answer: dict[str, Any] = json.load(functions.invoke(FunctionName="tell")["Payload"])
    return answer
