"""The local cloud: one emulator process on the loopback interface, started and stopped with all it starts.

It evaluates IAM policies, so that every function has the rights its role has and no others, and answers only who has
its access key: a new one for each start, in files that only the user can read. What it stores is in memory: stopping it
forgets everything.
"""

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.platform.console import CliError, JsonOption, handled, out, print_result, say, shell

DEFAULT_PORT = 4566
REGION = "us-east-1"
PROFILE = "sluice-local"
FOLDER_VARIABLE = "SLUICE_LOCAL_CLOUD"  # where it keeps its files; one cloud per folder
EMULATOR: Sequence[str] = ("-m", "cli.emulator.launch")
"""Arguments of the interpreter; the benchmark of costs replaces them to count requests."""

_ROOT = Path(__file__).resolve().parents[2]
_STATE, _LOG, _PROFILES = "cloud.json", "cloud.log", "aws-config"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_POLL_SECONDS = 0.1
_TAIL_LINES = 25


@dataclass(frozen=True, slots=True)
class LocalCloud:
    """A local cloud that is up: its port, its process (it leads a process group), its access key, folder and mart."""

    port: int
    pid: int
    access_key_id: str
    secret_access_key: str = field(repr=False)
    folder: Path
    mart_port: int = 0  # of its Aurora DSQL
    mart_folder: str = ""  # a short path, for a socket, to a place that the server's own user can reach

    @property
    def endpoint(self) -> str:
        """The URL for AWS clients; the CDK needs the host to be called localhost."""
        return _endpoint(self.port)

    @property
    def log(self) -> Path:
        """Return the file of what the emulator says."""
        return self.folder / _LOG

    @property
    def client_environment(self) -> dict[str, str]:
        """Environment variables that lead a program's AWS clients here."""
        return {**_access(self.access_key_id, self.secret_access_key), "AWS_ENDPOINT_URL": self.endpoint}

    @property
    def profile(self) -> dict[str, str]:
        """Environment variables that lead AWS tools here, without a secret."""
        return {"AWS_CONFIG_FILE": str(self.folder / _PROFILES), "AWS_PROFILE": PROFILE}

    @property
    def profile_command(self) -> str:
        """Return what a shell runs so that its AWS tools come here."""
        return "export " + " ".join(f"{name}={shell(value)}" for name, value in self.profile.items())


def start(port: int | None = None) -> LocalCloud:
    """Start the local cloud at `port` (4566 by default), unless it is up already, and wait until it answers.

    Raises:
        CliError: It is up at another port, another program has the port, or it ends or stays silent.
    """
    running = running_cloud()
    if running is None:
        return _launch(port or DEFAULT_PORT)
    if port not in {None, running.port}:
        raise CliError(f"The local cloud is up already, at port {running.port}.", "Run `sluice local down` first.")
    return running


def running_cloud() -> LocalCloud | None:
    """Return the local cloud that is up, or None."""
    with suppress(FileNotFoundError), (_folder() / _STATE).open() as state:
        # The emulator holds the lock while it lives, however it ends; a process id alone may be another's by now.
        try:
            fcntl.flock(state, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return LocalCloud(**json.load(state), folder=_folder())
    return None


def require() -> LocalCloud:
    """Return the local cloud that is up.

    Raises:
        CliError: It is not up.
    """
    cloud = running_cloud()
    if cloud is None:
        raise CliError(
            "The local cloud is not up.", "Run `sluice local up`, then `sluice deploy --stage NAME`; or `make demo`."
        )
    return cloud


def stop() -> bool:
    """Stop the local cloud and every process it started; tell whether it was up.

    Raises:
        CliError: A process does not end even when killed.
    """
    running = running_cloud()
    if running and not any(_end_group(running.pid, how) for how in (signal.SIGTERM, signal.SIGKILL)):
        raise CliError(f"Processes of the local cloud do not end (process group {running.pid}).", "End them by hand.")
    if running and running.mart_folder:
        shutil.rmtree(running.mart_folder, ignore_errors=True)
    _clear(_folder())
    return running is not None


def _clear(folder: Path) -> None:
    """Remove `folder` of a local cloud; a folder that holds anything else stays.

    Raises:
        CliError: It holds files, and none of a local cloud.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / _STATE).exists():
        raise CliError(
            f"{folder} holds files that are not the local cloud's; nothing was deleted.",
            f"Empty it, or name another folder in {FOLDER_VARIABLE}.",
        )
    shutil.rmtree(folder, ignore_errors=True)


def _folder() -> Path:
    return Path(os.environ.get(FOLDER_VARIABLE) or _ROOT / "build" / "local")


def _launch(port: int) -> LocalCloud:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise CliError(f"Port {port} is taken by another program.", "End it, or use another: --port 4567.")
    folder = _folder()
    _clear(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    key_id, secret = f"LOCAL{secrets.token_hex(8).upper()}", secrets.token_urlsafe(30)
    with _for_this_user_only():
        (folder / "tmp").mkdir(parents=True)
        (folder / _PROFILES).write_text(_profile(port, key_id, secret))
        with (folder / _STATE).open("w") as state, (folder / _LOG).open("wb") as log:
            fcntl.flock(state, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mart = {"mart_port": _free_port(), "mart_folder": tempfile.mkdtemp(prefix="sluice-mart-")}
            place = {"MART_PORT": str(mart["mart_port"]), "MART_FOLDER": str(mart["mart_folder"])}
            emulator = subprocess.Popen(
                [sys.executable, *EMULATOR],
                env=_environment(port, {**_access(key_id, secret), **place}),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[state.fileno()],  # and the lock with it
                start_new_session=True,
            )
            access = {"access_key_id": key_id, "secret_access_key": secret}
            json.dump({"port": port, "pid": emulator.pid, **access, **mart}, state)
    cloud = running_cloud() or LocalCloud(port, emulator.pid, key_id, secret, folder)
    _await_answer(cloud, emulator)
    emulator.returncode = 0  # it outlives this process, which need not wait for it
    return cloud


@contextmanager
def _for_this_user_only() -> Iterator[None]:
    """Let files and folders that are made meanwhile, and by processes that are started, be this user's alone."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _endpoint(port: int) -> str:
    return f"http://localhost:{port}"


def _access(key_id: str, secret: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _profile(port: int, key_id: str, secret: str) -> str:
    """Return the file of AWS settings with the one profile of this cloud."""
    return (
        f"[profile {PROFILE}]\nregion = {REGION}\nendpoint_url = {_endpoint(port)}\n"
        f"aws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n"
        # Not every resolver knows bucket.localhost; links as new buckets of AWS take them, too.
        "s3 =\n    addressing_style = path\n    signature_version = s3v4\n"
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _environment(port: int, access: Mapping[str, str]) -> dict[str, str]:
    """Return the whole environment of the emulator; functions inherit it, so nothing of this shell may be in it."""
    folder = _folder()
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "AUTH": "true",
        "ATHENA_ENGINE": "duckdb",
        "SFN_WAIT_SCALE": "0.01",  # waits and the pauses before retries take a hundredth of their time
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        **access,
    }


def _await_answer(cloud: LocalCloud, emulator: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not _answers(cloud):
        if emulator.poll() is not None:
            end = tail(cloud.log)
            raise CliError(f"The local cloud ended at once. The end of its log:\n{end}", f"Log: {cloud.log}")
        if time.monotonic() > deadline:
            _end_group(cloud.pid, signal.SIGKILL)
            raise CliError(f"The local cloud does not answer after {_START_SECONDS:.0f} s.", f"Log: {cloud.log}")
        time.sleep(_POLL_SECONDS)


def _answers(cloud: LocalCloud) -> bool:
    connection = HTTPConnection("127.0.0.1", cloud.port, timeout=5)
    with suppress(OSError, HTTPException), closing(connection):
        connection.request("GET", "/_ministack/health")
        return connection.getresponse().status == HTTPStatus.OK
    return False


def tail(log: Path) -> str:
    """Return the last lines of a log."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])


def _end_group(group: int, how: signal.Signals) -> bool:
    """Signal every process of the group; tell whether all of them ended in time."""
    deadline = time.monotonic() + _STOP_SECONDS
    with suppress(ProcessLookupError, PermissionError):  # the latter is macOS's word for a group of zombies
        os.killpg(group, how)
        while time.monotonic() < deadline:
            with suppress(ChildProcessError):
                os.waitpid(group, os.WNOHANG)  # a child of this very process would stay as a zombie
            os.killpg(group, 0)
            time.sleep(_POLL_SECONDS)
        return False
    return True


app = typer.Typer(no_args_is_help=True, help="The local cloud: AWS on this machine, without an account or Docker.")


@app.command()
@handled
def up(
    port: Annotated[int | None, typer.Option(help="The port to listen on, for this machine only.")] = None,
) -> None:
    """Start the local cloud, if it is not up already.

    Examples:
        sluice local up
        sluice local up --port 4567
        eval "$(sluice local up)" && aws s3 ls
    """
    cloud = start(port)
    say(escape(f"The local cloud is up at {cloud.endpoint} (log: {cloud.log}). AWS tools of a shell find it with:"))
    out.print(cloud.profile_command, highlight=False, markup=False, soft_wrap=True)


@app.command()
@handled
def down() -> None:
    """Stop the local cloud. What it stored is gone with it.

    Examples:
        sluice local down
    """
    say("The local cloud is down." if stop() else "The local cloud was not up.")


@app.command()
@handled
def status(as_json: JsonOption = False) -> None:
    """Say whether the local cloud is up, and where. Exit code 1 when it is not.

    Examples:
        sluice local status
        sluice local status --json | jq -r .endpoint
    """
    cloud = running_cloud()
    text = f"Up at {cloud.endpoint}." if cloud else "Not up. Start it with `sluice local up`."
    document = {
        "up": cloud is not None,
        "endpoint": cloud.endpoint if cloud else None,
        "profile": cloud.profile if cloud else None,
    }
    print_result(document, lambda _: out.print(text, highlight=False), as_json=as_json)
    if cloud is None:
        raise typer.Exit(1)
