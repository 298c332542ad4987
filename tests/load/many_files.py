"""Many small files through the local cloud, without loss. Not part of `make test`: it takes its time.

    .venv/bin/python -m tests.load.many_files --files 20000

The files are made up as the demo's are, so what the pipeline has to make of them is known, event by event.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SLUICE = Path(sys.executable).parent / "sluice"
EVENTS_PER_FILE = 25  # about 20 KB


def main() -> int:
    """Generate, ingest, convert; return 0 when what came out is what went in."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=20_000, help="how many files of about 20 KB")
    files = parser.parse_args().files
    with tempfile.TemporaryDirectory() as folder:
        events = files * EVENTS_PER_FILE
        made = sluice("generate", folder, "--files", str(files), "--events", str(events), "--seed", "20000")
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        say(f"{files} files, {size / 1e6:.0f} MB, {made['totals']['events']} events")
        begun = time.monotonic()
        found = sluice("ingest", folder, "--timeout", "1800")
        say(f"ingested in {time.monotonic() - begun:.0f} s")
        converted = sluice("convert")
        say(f"converted in {converted['seconds']:.0f} s: {converted['events']} rows")
    rows = dict(sorted(converted["rows"].items()))
    lost = made["totals"] != found["totals"] or rows != dict(sorted(made["totals"]["clean"].items()))
    say("LOST OR DOUBLED: the totals differ" if lost else "nothing lost, nothing twice")
    return int(lost)


def sluice(*arguments: str) -> Any:
    """Run a command of the local stage; return the JSON document it prints."""
    done = subprocess.run([str(SLUICE), *arguments, "--json"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def say(line: str) -> None:
    """Print at once: people watch."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
