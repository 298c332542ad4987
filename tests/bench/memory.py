# ruff: noqa: PLC0415 - each piece of work imports what it needs when it is run
"""The largest resident size of a piece of work, in a process of its own: ``python -m tests.bench.memory WORK …``.

What a piece of work imports counts for it only; imports by themselves are pieces of work too.
"""

import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from tests.support import peak_memory


def peak_mb(work: str, *arguments: str | Path) -> float:
    """Run a piece of work in a fresh process; return its peak in MB, imports included."""
    command = [sys.executable, "-m", "tests.bench.memory", work, *map(str, arguments)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _validate(file: str) -> None:
    """One object, in one piece; its chunks are dropped as they are stored."""
    from tests.bench.local_validation import validate

    validate(["large"], lambda _key: Path(file).read_bytes())


def _convert(candidate: str, work: str, target: str) -> None:
    """Clean lines to files, by ours or by a peer."""
    from tests.bench.clean_lines import read_work
    from tests.bench.peers.converters import CANDIDATES

    CANDIDATES[candidate](read_work(Path(work)), Path(target))


def _grow(axis: str, size: str, folder: str) -> None:
    """A case of growth: from files to files."""
    from tests.bench.growth import AXES, on_disk

    AXES[axis].run(int(size), on_disk(Path(folder)))


_WORK: dict[str, Callable[..., object]] = {
    "validate": _validate,
    "convert": _convert,
    "grow": _grow,
    "import": import_module,
}

if __name__ == "__main__":
    _WORK[sys.argv[1]](*sys.argv[2:])
    sys.stdout.write(str(peak_memory.peak_mb()))
