"""Tests end, whatever they do and however they are started, and call nothing beyond this machine."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.synthesis import ROOT

TESTS = """
import signal, socket, subprocess, sys, threading, pytest
from contextlib import suppress

@pytest.mark.timeout(1)
def test_hangs():
    threading.Event().wait()

def test_is_interrupted():
    child = "import signal; assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    subprocess.run([sys.executable, "-c", child], check=True)

def test_calls_out_and_says_nothing():
    with suppress(BaseException):
        socket.create_connection(("169.254.169.254", 80), 0.01)

def test_asks_a_name():
    socket.getaddrinfo("example.com", 443)

def test_stays_here():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(("localhost", server.getsockname()[1])).close()
"""


def test_a_hang_ends_a_child_is_interrupted_and_a_call_fails_where_interrupts_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "test_these.py").write_text(TESTS)
    options = ["-q", "-p", "tests.support.bounds", "-p", "no:cacheprovider", "-c", str(ROOT / "pyproject.toml")]
    command = [sys.executable, "-m", "pytest", *options, "--rootdir", str(tmp_path), str(tmp_path)]
    background = ["sh", "-c", 'trap "" INT; exec "$@"', "-", *command]
    said = subprocess.run(background, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    failed = {line.split()[1].rpartition("::")[2] for line in said.splitlines() if line.startswith(("FAILED", "ERROR"))}
    assert failed == {"test_hangs", "test_calls_out_and_says_nothing", "test_asks_a_name"}, said
    assert "Timeout (>1.0s)" in said
    assert "169.254.169.254" in said


def test_every_test_has_a_limit(pytestconfig: pytest.Config) -> None:
    assert float(pytestconfig.getini("timeout")) >= 300, "a hang ends, and a machine five times slower passes"
