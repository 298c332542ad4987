"""The most memory that a process ever held."""

import resource
from pathlib import Path


def peak_mb(process: Path = Path("/proc/self")) -> float:
    """Return the peak of a process in MB; getrusage would count the parent's, from before the process was started."""
    if not (process / "status").exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    peak = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) / 1024
