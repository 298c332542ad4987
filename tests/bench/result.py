"""What was measured, as a file and on the terminal."""

import json
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench.rounds import Spread
from tests.bench.stopwatch import WITHHELD, Stopwatch


@dataclass(slots=True)
class Result:
    """Ratios: how many times as fast as others ours is. Figures: everything else, the unit in the name.

    Spreads: those of figures that have one. Not measured: what else there is to compare with, and why it was not.
    """

    ratios: dict[str, Spread] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    spreads: dict[str, Spread] = field(default_factory=dict)
    not_measured: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Print that a part begins, how long it took, and how much of the machine was withheld from it; keep both."""
        _print(f"\n{name}")
        watch = Stopwatch()
        yield
        seconds, withheld = watch.seconds(), watch.withheld()
        self.keep(f"bench_s/{name}", seconds)
        self.keep(f"withheld_share/{name}", withheld)
        _print(f"{name}: {seconds:.0f} s, {WITHHELD.format(withheld)}")

    def ratio(self, name: str, value: Spread) -> None:
        """Keep and print a ratio."""
        self.ratios[name] = value
        _print(f"{name:32} {value.median:10,.2f} times as fast ({value.min:.2f} to {value.max:.2f})")

    def figure(self, name: str, value: float | Spread) -> None:
        """Keep and print a figure; of rounds it is the median."""
        if isinstance(value, Spread):
            self.spreads[name] = value
            value = value.median
        self.keep(name, value)
        _print(f"{name:32} {value:10,.2f}")

    def keep(self, name: str, value: float) -> None:
        """Keep a figure that a table shows already."""
        self.figures[name] = value

    def leave_out(self, name: str, why: str) -> None:
        """Keep and print what is not measured."""
        self.not_measured[name] = why
        _print(f"{name:32} not measured: {why}")

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        path.write_text(json.dumps(self.to_json(), indent=2) + "\n")

    def to_json(self) -> dict[str, Any]:
        """Give everything, and where and when it was measured."""
        return {
            "machine": machine(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "ratios": {name: asdict(value) for name, value in self.ratios.items()},
            "figures": self.figures,
            "spreads": {name: asdict(value) for name, value in self.spreads.items()},
            "not_measured": self.not_measured,
        }

    def add(self, path: Path) -> None:
        """Take over what another process wrote."""
        written = json.loads(path.read_text())
        self.ratios |= {name: Spread(**value) for name, value in written["ratios"].items()}
        self.spreads |= {name: Spread(**value) for name, value in written["spreads"].items()}
        self.figures |= written["figures"]
        self.not_measured |= written["not_measured"]


def machine() -> str:
    """Name the machine: processor, how many of it, and the Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor()
    return f"{len(models) or '?'} x {processor}, {platform.system()}, Python {platform.python_version()}"


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
