"""``make bench``: make the bench's own environment, then measure there. The product's environment stays as it is."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "bench"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PYTHON = FOLDER / "venv" / "bin" / "python"


def main() -> None:
    """Run everything."""
    _make_environment()
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers")])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "0"}
    sys.exit(
        subprocess.run([PYTHON, "-m", "tests.bench.run", FOLDER], env=environment, cwd=ROOT, check=False).returncode
    )


def _make_environment() -> None:
    """Install the peers, unless that was done with the very same requirements."""
    installed = FOLDER / "venv" / REQUIREMENTS.name
    if installed.exists() and installed.read_bytes() == REQUIREMENTS.read_bytes():
        return
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, FOLDER / "venv"], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", PYTHON, "-r", REQUIREMENTS], check=True)
    installed.write_bytes(REQUIREMENTS.read_bytes())


if __name__ == "__main__":
    main()
