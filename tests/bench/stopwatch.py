"""How long something took, and whether the machine was ours meanwhile: on a shared host it may not be."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

WITHHELD = "{:.0%} of the processor time it wanted went to the host's other guests"

_STAT = Path("/proc/stat")


class Processors(NamedTuple):
    """Ticks since the machine was started: for which there was work, and of these the ones the host gave to others."""

    wanted: int
    withheld: int

    def withheld_since(self, before: "Processors") -> float:
        """Return the share of the time wanted since then that was given to others, from 0 to 1."""
        return (self.withheld - before.withheld) / max(1, self.wanted - before.wanted)


def processors(stat: Path = _STAT) -> Processors:
    """Read what Linux has counted; elsewhere there is nothing to tell."""
    if not stat.exists():
        return Processors(0, 0)
    user, nice, system, _idle, _waiting, irq, softirq, stolen = map(int, stat.read_text().split()[1:9])
    return Processors(user + nice + system + irq + softirq + stolen, stolen)


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """Runs from when it is made."""

    _begun: float = field(default_factory=time.monotonic)
    _before: Processors = field(default_factory=processors)

    def seconds(self) -> float:
        """Return how long it has run."""
        return time.monotonic() - self._begun

    def withheld(self) -> float:
        """Return the share of the processors' time that was wanted meanwhile and given to others, from 0 to 1."""
        return processors().withheld_since(self._before)
