"""From files dropped into a bucket to tables queried in Athena, through the deployed stack, by the command line."""

import gzip
import json
from dataclasses import dataclass
from typing import Any

import pytest

from sluice.contracts.load import load_registry
from tests.support.local.deployed_cloud import Cloud

REGISTRY = load_registry()


@dataclass(frozen=True)
class Delivery:
    """The delivered files, and the output of the commands: of their making, of the first and of the second delivery."""

    files: dict[str, bytes]
    made: dict[str, Any]
    ingested: dict[str, Any]
    converted: dict[str, Any]
    ingested_again: dict[str, Any]
    converted_again: dict[str, Any]

    @property
    def clean(self) -> dict[str, int]:
        """The events that are clean, by table."""
        return dict(self.made["totals"]["clean"])


@pytest.fixture(scope="module")
def delivery(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    folder = tmp_path_factory.mktemp("delivery")
    made = cloud.run("generate", folder, "--files", "24", "--events", "900", "--seed", "7")
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    first = cloud.run("ingest", folder), cloud.run("convert")
    return Delivery(files, made, *first, cloud.run("ingest", folder), cloud.run("convert"))


def test_every_clean_event_becomes_a_row(delivery: Delivery) -> None:
    assert delivery.clean.keys() == {contract.table for contract in REGISTRY.contracts}
    assert delivery.ingested["totals"] == delivery.made["totals"]
    assert [file | {"status": "generated"} for file in delivery.ingested["files"]] == delivery.made["files"]
    assert delivery.converted["status"] == "converted"
    assert delivery.converted["rows"] == delivery.clean
    assert delivery.converted["events"] == sum(delivery.clean.values())
    assert delivery.converted["files"] == len(delivery.files)


def test_the_same_files_again_add_nothing(delivery: Delivery) -> None:
    assert {file["status"] for file in delivery.ingested_again["files"]} == {"known"}
    assert delivery.ingested_again["totals"] == delivery.ingested["totals"]
    assert delivery.converted_again["status"] == "nothing_to_do"
    assert delivery.converted_again["rows"] == {}


def test_athena_counts_the_rows(cloud: Cloud, delivery: Delivery) -> None:
    unions = " union all ".join(
        f"select '{table}' as t, count(*) as n from {table.lower()}" for table in delivery.clean
    )
    counted = {row["t"]: row["n"] for row in cloud.run("query", unions)}
    assert {table: counted[table] - _of_other_tests(cloud, table) for table in counted} == delivery.clean


@pytest.mark.usefixtures("delivery")
def test_athena_gives_nested_values_as_json(cloud: Cloud) -> None:
    nested = "id, service_version, input_sentences_scores, output_summary"
    found = cloud.run("query", f"select {nested} from summarizer_pred")
    stored = cloud.rows("SUMMARIZER_PRED")
    assert found
    assert [row for row in found if not any(each | row == each for each in stored)] == []


def _of_other_tests(cloud: Cloud, table: str) -> int:
    return sum(not row["_source_key"].startswith("ef-demo-stream") for row in cloud.rows(table))


def test_the_profiling_log_has_every_event(cloud: Cloud, delivery: Delivery) -> None:
    run = delivery.converted["run_id"]
    rows = cloud.run(
        "query", f"select passed, count(*) as n from profiling_log where workflow_run_id = '{run}' group by passed"
    )
    assert {row["passed"]: row["n"] for row in rows} == {
        True: sum(delivery.clean.values()),
        False: sum(delivery.made["totals"]["dirty"].values()),
    }


def test_any_row_leads_back_to_its_bytes(cloud: Cloud, delivery: Delivery) -> None:
    decoder = json.JSONDecoder()
    contents = {
        name: gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body for name, body in delivery.files.items()
    }
    for row in (row for table in delivery.clean for row in cloud.rows(table) if row["_source_key"] in contents):
        content = contents[row["_source_key"]][row["_source_offset"] :]
        event, _ = decoder.raw_decode(content.decode(errors="replace"))
        assert (event["detail"]["id"], event["time"]) == (row["id"], row["date_time"])


@pytest.mark.usefixtures("delivery")
def test_the_partition_is_the_hour_of_the_event(cloud: Cloud) -> None:
    rows = cloud.run("query", "select date_time, year, month, day, hour from microone_event where year >= 2000")
    assert rows
    for row in rows:
        day, _, hour = row["date_time"].partition("T")
        assert [row["year"], row["month"], row["day"]] == [int(part) for part in day.split("-")]
        assert row["hour"] == int(hour[:2])
