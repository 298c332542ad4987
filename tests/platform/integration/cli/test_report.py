"""`sluice report` against the services it asks."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cli.platform import report
from cli.platform.session import Deployment
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.pipelines import RUN_KINDS
from sluice.runs.records import RunRecords
from tests.platform.unit.digest.sample_runs import conversion, run
from tests.support.cli_environment import sluice, sluice_json

LONG_AGO = datetime(2026, 3, 1, tzinfo=UTC)
SOURCES = {"event_files": {"ledger_table": "the-ledger"}, "vendor_exports": {"environment": "Test", "out_of_scope": ""}}


@pytest.fixture(autouse=True)
def _busy_stage(stage: Deployment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stage.outputs["DigestSources"] = json.dumps(SOURCES)
    records = RunRecords(S3ObjectStore(stage.s3, "the-lake"), RUN_KINDS)
    records.write(conversion(LONG_AGO - timedelta(hours=1), 90, 10))
    records.write(run(LONG_AGO - timedelta(days=2), outcome="failed", cause="[red]no memory"))
    records.write(conversion(datetime.now(UTC) - timedelta(minutes=1), 5, 0))
    monkeypatch.chdir(tmp_path)


def test_the_figures_of_a_day_and_of_a_week() -> None:
    day = sluice_json("report", "--span", "day", "--until", "2026-03-01")
    week = sluice_json("report", "--until", "2026-03-01T00:00Z")
    assert (day["span"], day["clean_share"]["value"], day["failed"]) == ("day", 0.9, [])
    assert (week["span"], week["runs"]["convert"]["total"], len(week["failed"])) == ("week", 2, 1)
    assert day["file"] is None
    assert not list(Path.cwd().iterdir()), "with --json a page is written only where one is asked for"


def test_without_an_end_the_present_hour_is_in_it() -> None:
    assert sluice_json("report", "--span", "day")["volumes"]["clean"]["value"] == 5


def test_the_page_and_the_notices() -> None:
    assert sluice("report", "--until", "2026-03-01", "--stage", "int").stdout.splitlines() == [
        "- 1 of 2 conversions did not succeed",
        "build/report-int-week-2026-02-28.html: week 2026-02-22 to 2026-02-28, 2 runs",
    ]
    assert "[red]no memory" in Path("build/report-int-week-2026-02-28.html").read_text()


def test_the_page_is_written_to_a_path_and_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    monkeypatch.setattr(report, "open_page", opened.append)
    assert sluice_json("report", "--out", "here.html", "--open")["file"] == "here.html"
    assert opened == [Path("here.html")]
    assert Path("here.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--until", "soon"], "'soon' is no time."),
        (["--until", "3026-03-01"], "3026-03-01 00:00 UTC is yet to come."),
        (["--out", "no/where.html"], "no/where.html"),
    ],
)
def test_wrong_options_end_in_a_sentence(arguments: list[str], error: str) -> None:
    assert error in sluice_json("report", *arguments, code=1)["error"]
