"""The largest resident size of a piece of work, in a process of its own: ``python -m tests.bench.memory WORK FILE``."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def peak_mb(work: str, file: Path) -> float:
    """Run a piece of work on a file in a fresh process; return its peak in MB, imports included."""
    command = [sys.executable, "-m", "tests.bench.memory", work, str(file)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def own_peak_mb() -> float:
    """Tell the peak of this process; what getrusage tells is the parent's as well, from before it became another."""
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if each.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def _validate(file: Path) -> None:
    """One object, in one piece; its chunks are dropped as they are stored."""
    from tests.bench.local import validate  # noqa: PLC0415 - what a piece of work imports counts for it only

    validate(["large"], lambda _key: file.read_bytes())


def _idle(_: Path) -> None:
    """Import what validation imports."""
    from tests.bench import local  # noqa: F401, PLC0415


_WORK: dict[str, Callable[[Path], None]] = {"validate": _validate, "idle": _idle}

if __name__ == "__main__":
    _WORK[sys.argv[1]](Path(sys.argv[2]))
    sys.stdout.write(str(own_peak_mb()))
