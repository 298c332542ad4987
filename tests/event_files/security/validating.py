"""Validate files one by one in a process of their own: ``python -m tests.event_files.security.validating FILE …``.

Those of a folder are validated together. Prints what each took and what became of it, a line of JSON each.
"""

import json
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from sluice.event_files.ledger.model import Counts
from tests.bench.clean_lines import Folder
from tests.bench.local_validation import validate
from tests.support.peak_memory import peak_mb

PROCESSOR = 0.58  # of one, that a function of 1,024 MB has


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file took; `written_mb` are the objects that it left in the lake."""

    cpu_seconds: float
    peak_mb: float
    written_mb: float
    events: int
    counted: int
    reasons: dict[str, int]


def _measure(path: Path) -> Taken:
    files = [str(each) for each in sorted(path.iterdir())] if path.is_dir() else [str(path)]
    with tempfile.TemporaryDirectory() as lake:
        folder = Path(lake)
        _forget_peak()
        begun = time.process_time()
        ledger = validate(files, lambda key: Path(key).read_bytes(), Folder(folder, folder), _function_time)
        seconds = time.process_time() - begun
        written = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    counts = Counts()
    for chunk in ledger.pending:
        counts.add(chunk.counts)
    counted = counts.clean.total() + counts.dirty.total() + counts.unrelated
    return Taken(seconds, peak_mb(), written / 1e6, counts.events, counted, dict(counts.dirty_by_reason()))


def _function_time() -> float:
    """Tell the time as a function's clock would: another guest of the machine takes none of it."""
    return time.process_time() / PROCESSOR


def _forget_peak() -> None:
    """Let the peak be counted anew, where the system can."""
    if (switch := Path("/proc/self/clear_refs")).exists():
        switch.write_text("5")


if __name__ == "__main__":
    for module in ("boto3.session", "aws_lambda_powertools.metrics", "sluice.lake.object_store_s3"):
        import_module(module)  # a function has them in memory, too
    for name in sys.argv[1:]:
        print(json.dumps(asdict(_measure(Path(name)))), flush=True)  # noqa: T201
