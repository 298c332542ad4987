"""`sluice report` against the services it asks."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from cli.platform import report
from cli.platform.session import Deployment
from sluice.runs.records_s3 import S3RunRecords
from tests.platform.unit.digest.making import conversion, run

LONG_AGO = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def busy(stage: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deployment:
    records = S3RunRecords(stage.s3, "the-lake")
    records.write(conversion(LONG_AGO - timedelta(hours=1), 90, 10))
    records.write(run(LONG_AGO - timedelta(days=2), outcome="failed", cause="[red]no memory"))
    records.write(conversion(datetime.now(UTC) - timedelta(minutes=1), 5, 0))
    monkeypatch.setattr(report, "connect", lambda _: stage)
    monkeypatch.chdir(tmp_path)
    return stage


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["report", *arguments])


def document(*arguments: str) -> dict[str, Any]:
    result = call("--json", *arguments)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_figures_of_a_day_and_of_a_week(busy: Deployment) -> None:
    assert busy
    day, week = document("--span", "day", "--until", "2026-03-01"), document("--until", "2026-03-01T00:00Z")
    assert (day["span"], day["clean_share"]["value"], day["failed"]) == ("day", 0.9, [])
    assert (week["span"], week["runs"]["convert"]["total"], len(week["failed"])) == ("week", 2, 1)
    assert day["file"] is None
    assert not list(Path.cwd().iterdir()), "with --json a page is written only where one is asked for"


def test_without_an_end_the_present_hour_is_in_it(busy: Deployment) -> None:
    assert busy
    assert document("--span", "day")["volumes"]["clean"]["value"] == 5


def test_the_page_and_what_to_look_at(busy: Deployment) -> None:
    assert busy
    result = call("--until", "2026-03-01", "--stage", "int")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines() == [
        "- 1 of 2 conversions did not succeed",
        "build/report-int-week-2026-02-28.html: week 2026-02-22 to 2026-02-28, 2 runs",
    ]
    assert "[red]no memory" in Path("build/report-int-week-2026-02-28.html").read_text()


def test_the_page_is_written_where_it_is_wanted_and_opened(busy: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    assert busy
    opened: list[Path] = []
    monkeypatch.setattr(report, "open_page", opened.append)
    assert document("--out", "here.html", "--open")["file"] == "here.html"
    assert opened == [Path("here.html")]
    assert Path("here.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--until", "soon"], "'soon' is no time."),
        (["--until", "3026-03-01"], "3026-03-01 00:00 UTC is yet to come."),
        (["--out", "no/where.html"], "no/where.html"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(busy: Deployment, arguments: list[str], said: str) -> None:
    assert busy
    result = call("--json", *arguments)
    assert result.exit_code == 1
    assert said in json.loads(result.stdout)["error"]
