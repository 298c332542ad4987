"""The CDK command of this environment, and assemblies that are made again only when their sources change."""

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

from cli.platform import local_cloud
from cli.platform.console import CliError
from infra.stage import Stage

ROOT = Path(__file__).resolve().parents[2]

_SYNTH_CACHE = ROOT / "build" / "cdk"
_SYNTH_SOURCES = ("app.py", "cdk.json", "infra", "functions", "layers")
_SYNTH_LIBRARIES = ("aws-cdk-lib", "cdk-nag", "constructs")
_PROGRESS_MARKS = ("✅", "❌", "deploying...", "destroying...", "FAILED", "Building asset", "bootstrapped")


@dataclass(frozen=True, slots=True)
class Cdk:
    """The CDK command of this environment; all of its output goes to a log, lines worth telling are reported.

    `client` holds environment variables that lead to AWS; AWS settings of this shell count only if there are none.
    """

    client: Mapping[str, str]
    log: Path
    report: Callable[[str], None]

    def __call__(self, *arguments: str, tells_all: bool = False) -> None:
        """Run one command to its end; report all of its lines, or those that tell of progress.

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
                cwd=ROOT,
                env=_tool_environment(self.client),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process,
        ):
            for line in process.stdout or ():
                log.write(line)
                if tells_all or any(word in line for word in _PROGRESS_MARKS):
                    self.report(line.rstrip())
        if process.returncode:
            end = local_cloud.tail(self.log)
            raise CliError(f"`cdk {arguments[0]}` failed:\n{end}", f"All of its output: {self.log}")


def _tool_environment(client: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not (client and name.startswith("AWS_"))}
    tools = [str(Path(sys.executable).parent), str(Path(sys.prefix) / "bin"), inherited.get("PATH", os.defpath)]
    quiet = {"CDK_DISABLE_CLI_TELEMETRY": "true", "CDK_DISABLE_VERSION_CHECK": "true"}
    return {**inherited, **client, **quiet, "PATH": os.pathsep.join(tools)}


def cached_assembly(stage: Stage, synthesise: Callable[[Path], None]) -> Path:
    """Return the folder of the stage's assembly; `synthesise` fills it unless there is one of these very sources.

    A stack depends on nothing but the stage's settings, the sources and the libraries: synth reads no account.
    """
    folder = _SYNTH_CACHE / f"{stage.name}@{_fingerprint(stage)[:16]}"
    if not folder.exists():
        for outdated in set(_SYNTH_CACHE.glob(f"{stage.name}@*")) - {
            folder
        }:  # which another deployment may have just made
            shutil.rmtree(outdated, ignore_errors=True)
        unfinished = _SYNTH_CACHE / f"{stage.name}.{os.getpid()}"
        synthesise(unfinished)
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.exists():
                raise
            shutil.rmtree(unfinished)  # another deployment of the same sources was faster
    return folder


def _fingerprint(stage: Stage) -> str:
    """SHA-256 over all that synth depends on, the running Python included: the local stage is built for it."""
    libraries = [f"{name} {version(name)}" for name in _SYNTH_LIBRARIES]
    digest = hashlib.sha256(" ".join([*libraries, platform.python_version(), platform.machine(), repr(stage)]).encode())
    for name in _SYNTH_SOURCES:
        for path in sorted([ROOT / name, *(ROOT / name).rglob("*")]):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()
