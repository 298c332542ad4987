"""Many small files through the local cloud, without loss. Not part of `make test`: it takes its time.

    .venv/bin/python -m tests.load.many_files --files 20000

The files are made up as the demo's are, so what the pipeline has to make of them is known, event by event.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import typer
from typer import echo

SLUICE = Path(sys.executable).parent / "sluice"
EVENTS_PER_FILE = 25  # about 20 KB


def main(files: int = 20_000) -> None:
    """Generate files of about 20 KB, ingest, convert; end with 0 when what came out is what went in."""
    with tempfile.TemporaryDirectory() as folder:
        events = files * EVENTS_PER_FILE
        made = sluice("generate", folder, "--files", str(files), "--events", str(events), "--seed", "20000")
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
        echo(f"{files} files, {size / 1e6:.0f} MB, {made['totals']['events']} events")
        begun = time.monotonic()
        found = sluice("ingest", folder, "--timeout", "1800")
        echo(f"ingested in {time.monotonic() - begun:.0f} s")
        converted = sluice("convert")
        echo(f"converted in {converted['seconds']:.0f} s: {converted['events']} rows")
    rows = dict(sorted(converted["rows"].items()))
    lost = made["totals"] != found["totals"] or rows != dict(sorted(made["totals"]["clean"].items()))
    echo("LOST OR DOUBLED: the totals differ" if lost else "nothing lost, nothing twice")
    raise SystemExit(int(lost))


def sluice(*arguments: str) -> Any:
    """Run a command of the local stage; return the JSON document it prints."""
    done = subprocess.run([str(SLUICE), *arguments, "--json"], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


if __name__ == "__main__":
    typer.run(main)
