"""Spark is left out with a reason where it cannot be had."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.bench.peers import spark


def refusing(error: Exception) -> Any:
    def environment(*_: Any) -> Path:
        raise error

    return environment


def test_without_java_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(spark, "environment", refusing(AssertionError()))
    with pytest.raises(spark.NoSparkError, match="there is no Java here"), spark.started():
        pass


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (subprocess.TimeoutExpired("uv", 150), "not installed after 150 s"),
        (subprocess.CalledProcessError(1, "uv", stderr="no network\n"), "cannot be installed: no network$"),
    ],
)
def test_what_cannot_be_installed_is_left_out(error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/java")
    monkeypatch.setattr(spark, "environment", refusing(error))
    with pytest.raises(spark.NoSparkError, match=reason), spark.started():
        pass


def test_a_spark_that_does_not_start_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/bin/false")
    monkeypatch.setenv("JAVA_HOME", "/java")
    monkeypatch.setattr(spark, "environment", lambda *_: tmp_path)
    with pytest.raises(spark.NoSparkError, match="Spark ended"), spark.started():
        pass
