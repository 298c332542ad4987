"""`sluice deploy`: bring a stage to what the code says."""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from botocore.exceptions import ClientError

from cli.platform import local_cloud
from cli.platform.console import CliError, handled, say
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from infra.platform.observability.settings import Observability
from infra.stage import Stage, stage_named

_ROOT = Path(__file__).resolve().parents[2]
_LOGS = _ROOT / "build"
_SYNTH_CACHE = _ROOT / "build" / "cdk"
_SYNTH_SOURCES = ("app.py", "cdk.json", "infra", "functions", "layers")
_SYNTH_LIBRARIES = ("aws-cdk-lib", "cdk-nag", "constructs")
_NEVER_WHOLE = {"REVIEW_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}
_PROGRESS_MARKS = ("✅", "❌", "deploying...", "destroying...", "FAILED", "Building asset", "bootstrapped")


@handled
def deploy(stage: StageOption = LOCAL) -> None:
    """Deploy a stage with `cdk deploy`.

    The stage local goes to the local cloud and needs no account. Every other
    stage goes to the account and region of this shell, which must be
    bootstrapped.

    Examples:
        sluice deploy
        sluice deploy --stage dev
    """
    deploy_stage(stage)
    say(f"Stage '{stage}' is deployed.")
    if alarms_have_no_recipient(stage_named(stage)):
        say(
            "[yellow]Its alarms have no recipient: set emails or slack in infra/platform/observability/settings.py, "
            "deploy again.[/]"
        )


def alarms_have_no_recipient(stage: Stage) -> bool:
    """Return whether a stage has alarms that should notify people, and no address to notify."""
    settings = stage.settings(Observability)
    return settings.alarms and settings.pages and not (stage.local or settings.emails or settings.slack)


def deploy_stage(name: str) -> None:
    """Bring the stack of a stage to what the code says; print each step that is worth telling.

    Raises:
        StageNameError: The name is no stage's.
        CliError: A tool is missing, or the CDK fails; then with the end of its output.
    """
    stage = stage_named(name)
    cdk = Cdk(client_environment(name), _LOGS / f"deploy-{name}.log", say)
    template = cached_assembly(
        name, lambda folder: cdk("synth", "--quiet", "--output", str(folder), "-c", f"stage={name}")
    )
    if stage.local:
        _bootstrap_local_cloud(stage, cdk)
    arguments = ["--app", str(template), "--all", "--require-approval", "never", "--progress", "events"]
    try:
        # A change set takes its time; it is for people to look at.
        cdk("deploy", *arguments, *(["--method", "direct"] if stage.local else []))
    finally:
        if stage.keeps_data:
            protect(connect(name))


def protect(deployment: Deployment) -> None:
    """Have CloudFormation refuse to delete a stage, unless its first deployment failed: that one has to be deleted."""
    try:
        stack = deployment.cloudformation.describe_stacks(StackName=deployment.stack)["Stacks"][0]
    except ClientError:
        return  # nothing was made
    if stack["StackStatus"] not in _NEVER_WHOLE:
        deployment.cloudformation.update_termination_protection(
            StackName=deployment.stack, EnableTerminationProtection=True
        )


def client_environment(name: str) -> dict[str, str]:
    """Return environment variables that lead AWS clients to the stage's account; none for the account of this shell.

    Raises:
        CliError: The stage is local and the local cloud is not up.
    """
    if name != LOCAL:
        return {}
    return {
        **local_cloud.CLIENT_ENVIRONMENT,
        "AWS_ENDPOINT_URL": local_cloud.require().endpoint,
        "AWS_REGION": local_cloud.REGION,
        "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), "localhost", "127.0.0.1"])),
    }


@dataclass(frozen=True, slots=True)
class Cdk:
    """The CDK command of this environment; all of its output goes to a log, lines worth telling are reported.

    `client` holds environment variables that lead to AWS; AWS settings of this shell count only if there are none.
    """

    client: Mapping[str, str]
    log: Path
    report: Callable[[str], None]

    def __call__(self, *arguments: str) -> None:
        """Run one command to its end.

        Raises:
            CliError: The command is not installed, or it fails.
        """
        program = Path(sys.prefix) / "node_modules" / ".bin" / "cdk"
        if not program.exists():
            raise CliError("The CDK command is not installed in this environment.", "Run `make .venv/ready`.")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with (
            self.log.open("w") as log,
            subprocess.Popen(
                [str(program), *arguments],
                cwd=_ROOT,
                env=_tool_environment(self.client),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process,
        ):
            for line in process.stdout or ():
                log.write(line)
                if any(word in line for word in _PROGRESS_MARKS):
                    self.report(line.strip())
        if process.returncode:
            end = local_cloud.tail(self.log)
            raise CliError(f"`cdk {arguments[0]}` failed:\n{end}", f"All of its output: {self.log}")


def _tool_environment(client: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not (client and name.startswith("AWS_"))}
    tools = [str(Path(sys.executable).parent), str(Path(sys.prefix) / "bin"), inherited.get("PATH", os.defpath)]
    quiet = {"CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_DISABLE_VERSION_CHECK": "true"}
    return {**inherited, **client, **quiet, "PATH": os.pathsep.join(tools)}


def _bootstrap_local_cloud(stage: Stage, cdk: Cdk) -> None:
    try:
        connect(stage.name).cloudformation.describe_stacks(StackName="CDKToolkit")
    except ClientError:
        cdk("bootstrap", f"aws://{stage.account}/{stage.region}", "--app", "")


def cached_assembly(stage: str, synthesise: Callable[[Path], None]) -> Path:
    """Return the folder of the stage's assembly; `synthesise` fills it unless there is one of these very sources.

    A stack depends on nothing but the sources and the libraries: synth reads no environment and no account.
    """
    folder = _SYNTH_CACHE / f"{stage}@{_fingerprint()[:16]}"
    if not folder.exists():
        for outdated in set(_SYNTH_CACHE.glob(f"{stage}@*")) - {folder}:  # which another deployment may have just made
            shutil.rmtree(outdated, ignore_errors=True)
        unfinished = _SYNTH_CACHE / f"{stage}.{os.getpid()}"
        synthesise(unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            shutil.rmtree(unfinished)  # another deployment of the same sources was faster
    return folder


def _fingerprint() -> str:
    """SHA-256 over all that synth depends on, the running Python included: the local stage is built for it."""
    libraries = [f"{name} {version(name)}" for name in _SYNTH_LIBRARIES]
    digest = hashlib.sha256(" ".join([*libraries, platform.python_version(), platform.machine()]).encode())
    for name in _SYNTH_SOURCES:
        for path in sorted([_ROOT / name, *(_ROOT / name).rglob("*")]):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(_ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()
