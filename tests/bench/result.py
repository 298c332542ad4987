"""What was measured, as a file and on the terminal."""

import json
import platform
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.rounds import Spread


@dataclass(slots=True)
class Result:
    """Ratios: how many times as fast as others ours is. Figures: everything else, the unit in the name."""

    ratios: dict[str, Spread] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)

    def ratio(self, name: str, value: Spread) -> None:
        """Keep and print a ratio."""
        self.ratios[name] = value
        _print(f"{name:32} {value.median:10,.2f} times as fast ({value.min:.2f} to {value.max:.2f})")

    def figure(self, name: str, value: float) -> None:
        """Keep and print a figure."""
        self.figures[name] = value
        _print(f"{name:32} {value:10,.2f}")

    def write(self, path: Path) -> dict[str, Any]:
        """Write everything as JSON; return what was written."""
        written = {
            "machine": machine(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "ratios": {name: asdict(value) for name, value in self.ratios.items()},
            "figures": self.figures,
        }
        path.write_text(json.dumps(written, indent=2) + "\n")
        return written


def machine() -> str:
    """Name the machine: processor, how many of it, and the Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor()
    return f"{len(models) or '?'} x {processor}, {platform.system()}, Python {platform.python_version()}"


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
