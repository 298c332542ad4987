"""The digest of the deployed stage: sums of run records, in the report and on the page; the topic takes the message."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cli.event_files.file_generation import event_files
from sluice.contracts.load import load_registry
from sluice.observability.metrics import PLATFORM
from tests.support.local.deployed_cloud import Cloud, settle
from tests.support.local.deployed_functions import Functions


def test_what_was_converted_is_in_the_report_and_on_the_page_that_is_sent(cloud: Cloud, tmp_path: Path) -> None:
    settle(cloud)  # else a conversion of another test may come to the sums of before
    before = volumes(cloud)
    files = event_files(load_registry(), files=6, events=120, seed=23)
    for number, file in enumerate(files):
        (tmp_path / f"digest-{number}-{file.name}").write_bytes(file.body)
    totals = cloud.run("ingest", tmp_path)["totals"]
    assert cloud.run("convert")["files"] >= 6
    wanted = {
        "clean": before["clean"] + sum(totals["clean"].values()),
        "dirty": before["dirty"] + sum(totals["dirty"].values()),
        "rows": before["rows"] + sum(totals["clean"].values()),
    }
    settle(cloud)
    found = volumes(cloud)
    assert {name: found[name] for name in wanted} == wanted

    answer = send(cloud)
    assert answer["key"] == f"data/reports/day-{datetime.now(UTC):%Y-%m-%d}.html"
    page = cloud.read(answer["key"]).decode()
    assert page.startswith("<!DOCTYPE html>")
    assert f'<td>Clean events</td><td class="number">{wanted["clean"]:,}</td>' in page


def volumes(cloud: Cloud) -> dict[str, int]:
    """Return the volumes of the day so far."""
    found = cloud.run("report", "--span", "day")
    return {name: volume["value"] for name, volume in found["volumes"].items()}


def send(cloud: Cloud) -> dict[str, Any]:
    """Let the stage send the digest of the day so far."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    event = {"span": "day", "until": end.isoformat()}
    return dict(Functions(cloud, PLATFORM).call("send_digest", event))
