"""Environments for what is compared with, never the product's: made once for the very same requirements."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "build" / "bench"

_UV = ROOT / ".venv" / "bin" / "uv"


def environment(name: str, requirements: Path, limit: float | None = None) -> Path:
    """Install what is required, unless it is there; return the folder.

    Raises SubprocessError: when it cannot be, or takes more than `limit` seconds.
    """
    folder = FOLDER / name
    installed = folder / requirements.name
    if installed.exists() and installed.read_bytes() == requirements.read_bytes():
        return folder
    FOLDER.mkdir(parents=True, exist_ok=True)
    _uv("venv", "--clear", "--python", sys.executable, folder)
    _uv("pip", "install", "--python", folder / "bin" / "python", "-r", requirements, limit=limit)
    shutil.copyfile(requirements, installed)
    return folder


def _uv(*arguments: str | Path, limit: float | None = None) -> None:
    subprocess.run([_UV, *arguments, "--quiet"], check=True, timeout=limit, stderr=subprocess.PIPE, text=True)
