"""``make bench``: what is compared with peers in an environment of their own; what is deployed in the product's.

.venv/bin/python -m tests.bench --files 10000
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from tests.bench.cold_start import bench_cold_start
from tests.bench.cost import FILES, bench_cost, counted_cloud
from tests.bench.latency import bench_latency
from tests.bench.page import page
from tests.bench.result import Result
from tests.bench.targets import verdicts

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "bench"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PYTHON = FOLDER / "venv" / "bin" / "python"


def main() -> None:
    """Run everything, write it and say what is reached."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=FILES, help="how many files come at once where cost is counted")
    arguments = parser.parse_args()
    result = Result()
    result.part("the peers' environment")
    make_environment()
    _beside_peers(result)
    result.part("cold start")
    bench_cold_start(result)
    _in_the_cloud(arguments.files, result)
    (FOLDER / "bench.html").write_text(page(result.write(FOLDER / "result.json")))
    result.part("targets")
    sys.stdout.write("".join(f"{line}\n" for line in verdicts(result)))


def _beside_peers(result: Result) -> None:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "layers")])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "0"}
    written = FOLDER / "peers.json"
    subprocess.run([PYTHON, "-m", "tests.bench.run", written], env=environment, cwd=ROOT, check=True)
    result.add(written)


def _in_the_cloud(files: int, result: Result) -> None:
    result.part("a local cloud")
    with counted_cloud() as deployment:
        result.part("latency")
        bench_latency(deployment, result)
        result.part(f"cost, by bursts of {files:,} files")
        bench_cost(deployment, files, result)


def make_environment() -> None:
    """Install the peers, unless that was done with the very same requirements."""
    installed = FOLDER / "venv" / REQUIREMENTS.name
    if installed.exists() and installed.read_bytes() == REQUIREMENTS.read_bytes():
        return
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, FOLDER / "venv"], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", PYTHON, "-r", REQUIREMENTS], check=True)
    installed.write_bytes(REQUIREMENTS.read_bytes())


if __name__ == "__main__":
    main()
