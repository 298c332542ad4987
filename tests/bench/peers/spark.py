"""PySpark, where there is Java: in an environment and a process of its own, which stays, so that its JVM is warm."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sluice.contracts.model import event_type
from sluice.event_files.ledger.model import CLEAN_PREFIX
from tests.bench.clean_lines import Work
from tests.bench.peers.environment import environment

_REQUIREMENTS = Path(__file__).with_name("requirements-spark.txt")
_WORKER = Path(__file__).with_name("spark_worker.py")
_LIMIT = 150.0  # seconds of an installation; 40 where the network is quick


class NoSparkError(Exception):
    """Why it is not measured."""


@dataclass(slots=True)
class Spark:
    """The process, asked by a line, answering by a line: the peak of its JVM so far."""

    asking: IO[str]
    answers: IO[str]
    peak_mb: float = 0.0

    def convert(self, work: Work, target: Path) -> None:
        """Convert all objects, named by their folder: it lists that in half the time that a list of them takes it."""
        columns = work.contract.table_columns
        asked = {
            "source": str(work.folder / CLEAN_PREFIX),
            "target": str(target),
            "schema": ", ".join(f"`{name}` {type_}" for name, type_ in event_type(columns).fields),
            "columns": {column.name: ".".join(f"`{member}`" for member in column.path) for column in columns},
        }
        self.asking.write(json.dumps(asked) + "\n")
        self.asking.flush()
        self.wait()

    def wait(self) -> None:
        """Wait for an answer."""
        answer = self.answers.readline()
        if not answer:
            raise NoSparkError("Spark ended; why, is in build/bench/spark/log")
        self.peak_mb = float(answer)


@contextmanager
def started() -> Iterator[Spark]:
    """Start it, installed if it has to be; it ends with its input. Raises NoSparkError."""
    folder = _installed()
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [folder / "bin" / "python", _WORKER],
            env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        if process.stdin is None or process.stdout is None:
            raise AssertionError("both are pipes")
        spark = Spark(process.stdin, process.stdout)
        spark.wait()
        yield spark


def _installed() -> Path:
    if not (shutil.which("java") or "JAVA_HOME" in os.environ):
        raise NoSparkError("there is no Java here")
    try:
        return environment("spark", _REQUIREMENTS, _LIMIT)
    except subprocess.TimeoutExpired:
        raise NoSparkError(f"it was not installed after {_LIMIT:.0f} s") from None
    except subprocess.CalledProcessError as error:
        raise NoSparkError(f"it cannot be installed: {error.stderr.strip()}") from None
