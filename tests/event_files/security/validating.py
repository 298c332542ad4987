"""Validate files in a process of their own, as one invocation: ``python -m tests.event_files.security.validating FILE …``.

Prints what it took, and what became of each file: ``{"cpu_seconds": …, "peak_mb": …, "files": [[status, counts], …]}``.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from tests.bench.clean_lines import Folder
from tests.bench.local_validation import validate
from tests.support.peak_memory import peak_mb
import boto3, aws_lambda_powertools


def main() -> None:
    """Measure."""
    boto3.client("s3", region_name="us-east-1"), boto3.client("dynamodb", region_name="us-east-1")
    with tempfile.TemporaryDirectory() as lake:
        begun = time.process_time()
        ledger = validate(sys.argv[1:], lambda key: Path(key).read_bytes(), Folder(Path(lake), Path(lake)))
        seconds = time.process_time() - begun
        written = sum(p.stat().st_size for p in Path(lake).rglob("*") if p.is_file())
    counts = [(c.counts.events, dict((k[1], v) for k, v in c.counts.dirty.items()), c.counts.clean.total(), c.counts.unrelated) for c in ledger.pending if c.files]
    json.dump({"cpu_seconds": round(seconds,2), "peak_mb": round(peak_mb()), "written": written, "n": len(ledger.pending), "counts": counts}, sys.stdout)


if __name__ == "__main__":
    main()
