"""What `cdk synth` makes of a stage, made anew only when something it depends on has changed."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_FOLDER = _ROOT / "build" / "cdk"
_SOURCES = ("app.py", "cdk.json", "infra", "functions", "layers")
_LIBRARIES = ("aws-cdk-lib", "cdk-nag", "constructs")


def assembly(stage: str, synthesise: Callable[[Path], None]) -> Path:
    """Return the folder of the stage's assembly; `synthesise` fills it unless there is one of these very sources.

    A stack depends on nothing but the sources and the libraries: synth reads no environment and no account.
    """
    folder = _FOLDER / f"{stage}@{_fingerprint()[:16]}"
    if not folder.exists():
        for outdated in set(_FOLDER.glob(f"{stage}@*")) - {folder}:  # which another deployment may have just made
            shutil.rmtree(outdated, ignore_errors=True)
        unfinished = _FOLDER / f"{stage}.{os.getpid()}"
        synthesise(unfinished)
        _finish(unfinished, folder)
    return folder


def _finish(unfinished: Path, folder: Path) -> None:
    """Give the folder its name, unless another deployment of the same sources was faster."""
    try:
        unfinished.rename(folder)
    except OSError:
        if not folder.exists():
            raise
        shutil.rmtree(unfinished)


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
