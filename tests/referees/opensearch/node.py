"""A node of OpenSearch on this machine."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.referees.opensearch.engine import OPENSEARCH, parts

MAX_BYTES = 1024 * 1024
"""Largest request that the node takes: less than the loader sends."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node that runs."""

    url: str

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = httpx.request(method, f"{self.url}/{path}", json=body, trust_env=False)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def count(self, alias: str) -> int:
        self.ask("POST", f"{alias}/_refresh")
        return int(self.ask("GET", f"{alias}/_count")["count"])

    def indices(self, pattern: str) -> dict[str, Any]:
        return self.ask("GET", pattern)

    def clear(self) -> None:
        for name in self.indices("*_logs_*"):
            self.ask("DELETE", name)


@pytest.fixture(scope="session")
def _opensearch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    OPENSEARCH.or_skip()
    with _running(tmp_path_factory.mktemp("opensearch")) as node:
        yield node


@pytest.fixture
def opensearch(_opensearch: Node) -> Node:
    """A node without documents."""
    _opensearch.clear()
    return _opensearch


@contextmanager
def _running(folder: Path) -> Iterator[Node]:
    """Run a node that keeps its files in a folder; it has ended afterwards."""
    java_command, jars = parts()
    options = ("-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
    source = Path(__file__).with_name("OpenSearch.java")
    command: list[str | Path] = [java_command, *options, "-cp", f"{jars}/*", source, folder, f"{MAX_BYTES}b"]
    with (
        (folder / "node.log").open("w") as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        assert process.stdin
        assert process.stdout
        try:
            address = process.stdout.readline().strip()
            assert address, (folder / "node.log").read_text()[-3000:]
            yield Node(address)
        finally:
            process.stdin.close()
