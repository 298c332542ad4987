"""Histories of some days of deliveries, made by the deployed machine, queried in Athena, shown on a page."""

import csv
import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.demo.producers import put_past_hours
from sluice.contracts.model import Table
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.history_files import HISTORY_TABLES, JOB_METRICS_CSV, REPORT, observability_key
from sluice.vendor_exports.delivery.model import Slot, slots_between
from tests.support.local.deployed_cloud import Cloud

TEST = Environment.TEST


@pytest.fixture(scope="module")
def made(cloud: Cloud) -> dict[str, Any]:
    """Some days of deliveries, their histories initialised."""
    first = put_past_hours(cloud.deployment)
    found: dict[str, Any] = cloud.run("history", "init", "--from", str(first))
    return found


def test_every_hour_has_its_row_in_order(cloud: Cloud, made: dict[str, Any]) -> None:
    rows = _rows(cloud, JOB_METRICS_CSV)
    dates = [row["date"] for row in rows]
    assert dates == [str(slot) for slot in slots_between(Slot.parse(dates[0]), Slot.parse(dates[-1]))]
    assert dates[0] <= made["first"]  # other tests may have begun the history earlier
    assert dates[-1] >= made["last"]
    assert {row["jobDelivered"] for row in rows} == {"0", "1"}


def test_athena_has_the_same_rows(cloud: Cloud, made: dict[str, Any]) -> None:
    delivered = sum(int(row["jobDelivered"]) for row in _rows(cloud, JOB_METRICS_CSV))
    asked = "select count(*) as n, sum(jobdelivered) as delivered from historical_job_metrics"
    (found,) = cloud.run("query", asked)
    assert (int(found["n"]), int(found["delivered"])) == (len(_rows(cloud, JOB_METRICS_CSV)), delivered)
    assert int(found["n"]) >= made["slots"]


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize("table", HISTORY_TABLES, ids=lambda table: table.name)
def test_whole_rows_can_be_asked_for(cloud: Cloud, table: Table) -> None:
    rows = cloud.run("query", f"select * from {table.name.lower()} order by 1 desc limit 2")
    assert [list(row) for row in rows] == [[column.name for column in table.columns]] * 2


@pytest.mark.usefixtures("made")
def test_an_hour_that_is_looked_at_again_has_what_came_since(cloud: Cloud) -> None:
    slot = next(row["date"] for row in _rows(cloud, JOB_METRICS_CSV) if row["jobDelivered"] == "0")
    key = f"{Slot.parse(slot).folder(TEST)}Voyage_0.json.gz"
    cloud.deployment.s3.put_object(Bucket=cloud.output("LakeBucket"), Key=key, Body=b"late")
    assert cloud.run("history", "update", "--slot", slot)["slots"] == 1
    assert {row["date"]: row["jobDelivered"] for row in _rows(cloud, JOB_METRICS_CSV)}[slot] == "1"
    cloud.deployment.s3.delete_object(Bucket=cloud.output("LakeBucket"), Key=key)
    cloud.run("history", "update", "--slot", slot)


@pytest.mark.usefixtures("made")
def test_the_command_that_a_back_fill_prints_tells_the_histories_of_an_hour_before_all_they_know(cloud: Cloud) -> None:
    older = Slot.parse(_rows(cloud, JOB_METRICS_CSV)[0]["date"]).after(-2)
    cloud.deployment.s3.create_bucket(Bucket="the-bucket-before")
    cloud.deployment.s3.put_object(Bucket="the-bucket-before", Key=f"{older.folder(TEST)}Voyage_0.json.gz", Body=b"old")
    done = cloud.invoke("history", "copy-missing", "--source", "s3://the-bucket-before", "--yes")
    printed = re.search(r"`sluice (history [^`]*)`", done.stderr)
    assert printed is not None, done.stderr
    cloud.run(*printed[1].split())
    assert {row["date"]: row["jobDelivered"] for row in _rows(cloud, JOB_METRICS_CSV)}[str(older)] == "1"


def test_the_report_is_the_published_one(cloud: Cloud, made: dict[str, Any], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    found = cloud.run("history", "report", "--out", page)
    assert found["hours"] >= made["slots"]
    assert page.read_bytes() == cloud.read(observability_key(TEST, REPORT))


def test_a_range_that_is_not_over_is_refused(cloud: Cloud) -> None:
    with pytest.raises(Exception, match="is over by 30 minutes"):
        cloud.run("history", "init", "--from", str(Slot.of(datetime.now(UTC))))


def _rows(cloud: Cloud, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(cloud.read(observability_key(TEST, name)).decode())))
