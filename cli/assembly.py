"""What `cdk synth` makes of a stage, made anew only when something it depends on has changed."""

from __future__ import annotations

import hashlib
import platform
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_FOLDER = _ROOT / "build" / "cdk"
_SOURCES = ("app.py", "cdk.json", "infra", "functions", "layers")
_LIBRARIES = ("aws-cdk-lib", "cdk-nag", "constructs")


def assembly(stage: str, synthesise: Callable[[Path], None]) -> Path:
    """Return the folder of the stage's assembly; `synthesise` fills it unless it is up to date.

    A stack depends on nothing but the sources and the libraries: synth reads no environment and no account.
    """
    folder = _FOLDER / stage
    mark = folder / "made-from"
    made_from = _fingerprint()
    if not (mark.exists() and mark.read_text() == made_from):
        shutil.rmtree(folder, ignore_errors=True)
        synthesise(folder)
        mark.write_text(made_from)
    return folder


def _fingerprint() -> str:
    """SHA-256 over all that synth depends on, the running Python included: the local stage is built for it."""
    libraries = [f"{name} {version(name)}" for name in _LIBRARIES]
    digest = hashlib.sha256(" ".join([*libraries, platform.python_version(), platform.machine()]).encode())
    for path in _files():
        digest.update(f"{path.relative_to(_ROOT)} {hashlib.sha256(path.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for name in _SOURCES:
        for path in sorted([_ROOT / name, *(_ROOT / name).rglob("*")]):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path
