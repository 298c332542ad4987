"""`cdk deploy` of a stage, with the tools of this environment and no others."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

from cli.platform import local_cloud
from cli.platform.console import say
from cli.platform.errors import CliError
from cli.platform.synth_cache import assembly
from infra.stage import Stage, StageNameError, stage_named

_ROOT = Path(__file__).resolve().parents[2]
_LOGS = _ROOT / "build"
_TAIL_LINES = 25
_TELLING = ("✅", "❌", "deploying...", "destroying...", "FAILED", "Building asset", "bootstrapped")

Report = Callable[[str], None]


def deploy(name: str, report: Report = say) -> None:
    """Bring the stacks of a stage to what the code says; each step worth telling goes to `report`.

    The local stage goes to the local cloud, which must be up, and is bootstrapped there; every other stage goes to
    the account and region of this shell, which must be bootstrapped.

    Raises:
        CliError: The name is no stage's, a tool is missing, or the CDK fails; then with the end of what it said.
    """
    stage = _stage(name)
    cdk = Cdk(client_environment(name), _LOGS / f"deploy-{name}.log", report)
    template = assembly(name, lambda folder: cdk("synth", "--quiet", "--output", str(folder), "-c", f"stage={name}"))
    if stage.local:
        _bootstrap_local_cloud(stage, cdk)
    arguments = ["--app", str(template), "--all", "--require-approval", "never", "--progress", "events"]
    # A change set is for people to look at; in the local cloud nobody does.
    cdk("deploy", *arguments, "--concurrency", "2", *(["--method", "direct"] if stage.local else []))


def client_environment(name: str) -> dict[str, str]:
    """Environment variables that lead any AWS client to the stage's account; empty for the account of this shell.

    Raises:
        CliError: The stage is local and the local cloud is not up.
    """
    if name != "local":
        return {}
    cloud = local_cloud.status()
    if cloud is None:
        raise CliError("The local cloud is not up.", "Run `sluice local up`; or `make demo` for everything.")
    return {
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_REGION": local_cloud.REGION,
        "AWS_DEFAULT_REGION": local_cloud.REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), "localhost", "127.0.0.1"])),
    }


class Cdk:
    """The CDK command of this environment.

    Where `client` says where AWS is, nothing of this shell's AWS settings gets through.
    """

    def __init__(self, client: Mapping[str, str], log: Path, report: Report) -> None:
        """Prepare the command; all it says goes to `log`."""
        self._program = Path(sys.prefix) / "node_modules" / ".bin" / "cdk"
        self._environment = _tool_environment(client)
        self._log = log
        self._report = report

    def __call__(self, *arguments: str) -> None:
        """Run one command to its end.

        Raises:
            CliError: The command is not installed, or it fails.
        """
        if not self._program.exists():
            raise CliError("The CDK command is not installed in this environment.", "Run `make .venv/ready`.")
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with (
            self._log.open("w") as log,
            subprocess.Popen(
                [str(self._program), *arguments],
                cwd=_ROOT,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process,
        ):
            for line in process.stdout or ():
                log.write(line)
                if any(word in line for word in _TELLING):
                    self._report(line.strip())
        if process.returncode:
            raise CliError(f"`cdk {arguments[0]}` failed:\n{self._tail()}", f"All it said: {self._log}")

    def _tail(self) -> str:
        return "\n".join(self._log.read_text().splitlines()[-_TAIL_LINES:])


def _stage(name: str) -> Stage:
    try:
        return stage_named(name)
    except StageNameError as error:
        raise CliError(str(error)) from error


def _tool_environment(client: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not (client and name.startswith("AWS_"))}
    tools = [str(Path(sys.executable).parent), str(Path(sys.prefix) / "bin"), inherited.get("PATH", os.defpath)]
    quiet = {"CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_DISABLE_VERSION_CHECK": "true"}
    return {**inherited, **client, **quiet, "PATH": os.pathsep.join(tools)}


def _bootstrap_local_cloud(stage: Stage, cdk: Cdk) -> None:
    session = boto3.Session("test", "test", region_name=stage.region)
    stacks = session.client("cloudformation", endpoint_url=client_environment(stage.name)["AWS_ENDPOINT_URL"])
    try:
        stacks.describe_stacks(StackName="CDKToolkit")
    except ClientError:
        cdk("bootstrap", f"aws://{stage.account}/{stage.region}", "--app", "")
