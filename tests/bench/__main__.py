"""``make bench``: compares with peers in their environment, measures what is deployed in the product's.

.venv/bin/python -m tests.bench --files 10000
"""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import typer

from tests.bench.cloud.cold_start import bench_cold_start
from tests.bench.cloud.cost import FILES, bench_cost, counted_cloud
from tests.bench.cloud.latency import bench_latency
from tests.bench.page import page
from tests.bench.peers.environment import FOLDER, ROOT, environment
from tests.bench.result import Result, verdicts
from tests.bench.timing import Stopwatch

REQUIREMENTS = Path(__file__).parent / "peers" / "requirements.txt"


def main(files: int = FILES) -> None:
    """Measure everything, the cost of a burst of `files`; write the result, its page and the verdicts on targets."""
    result, watch = Result(), Stopwatch()
    with result.part("environment"):
        python = environment("venv", REQUIREMENTS) / "bin" / "python"
    _beside_peers(python, result)
    with result.part("cold start"):
        bench_cold_start(result)
    _in_the_cloud(files, result)
    result.keep("bench_s", watch.seconds())
    result.keep("withheld_share", watch.withheld())
    _report(result)


def _report(result: Result) -> None:
    judged = verdicts(result)
    written = result.to_json() | {"targets": [asdict(verdict) for verdict in judged]}
    (FOLDER / "result.json").write_text(json.dumps(written, indent=2) + "\n")
    (FOLDER / "bench.html").write_bytes(page(written))
    sys.stdout.write("\ntargets\n" + "".join(f"{verdict}\n" for verdict in judged))
    sys.stdout.write(f"\n{FOLDER / 'result.json'}, {FOLDER / 'bench.html'}\n")


def _beside_peers(python: Path, result: Result) -> None:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers")])
    variables = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "0"}
    written = FOLDER / "peers.json"
    subprocess.run([python, "-m", "tests.bench.run", written], env=variables, cwd=ROOT, check=True)
    result.add(written)


def _in_the_cloud(files: int, result: Result) -> None:
    with ExitStack() as stack:
        with result.part("local cloud"):
            deployment = stack.enter_context(counted_cloud())
        with result.part("latency"):
            bench_latency(deployment, result)
        with result.part("cost"):
            bench_cost(deployment, files, result)


if __name__ == "__main__":
    typer.run(main)
