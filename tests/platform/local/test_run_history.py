"""Every run leaves its record: executions of the deployed machines, result by the cloud's own events."""

import time
from typing import Any

from cli.simulator.fault_catalogue import CATALOGUE
from tests.support.local.deployed_cloud import Cloud, wait_until
from tests.support.local.deployed_exports import DeployedExports
from tests.support.sample_events import dump, illustration


def record_of(cloud: Cloud, execution: str) -> dict[str, Any]:
    """Wait for the record of an execution, and return it as `sluice runs --json` does."""
    found: dict[str, Any] = wait_until(
        lambda: next((run for run in cloud.run("runs", "--limit", "30") if run["execution"] == execution), {})
    )
    return found


def query_one(cloud: Cloud, sql: str) -> dict[str, Any]:
    """Wait for the one row of a query: a run has its record before it is a row of RUNS."""
    (row,) = wait_until(lambda: cloud.run("query", sql))
    return dict(row)


def test_a_conversion_and_its_file(cloud: Cloud) -> None:
    key = f"runs/{time.time_ns()}"
    body = dump(illustration(1)) + b'{"source": "other"} not an event'
    cloud.deployment.s3.put_object(Bucket=cloud.output("SourceBucket"), Key=key, Body=body)
    known = wait_until(lambda: cloud.run("file", key))
    assert [chunk["state"] for chunk in known["versions"][0]["chunks"]] == ["pending"]

    done = cloud.run("convert")
    assert done["status"] == "converted"
    run = wait_until(lambda: cloud.run("run", done["run_id"]))  # its record follows its end
    found = record_of(cloud, run["execution"])
    assert cloud.run("run", found["id"]) == cloud.run("run", done["run_id"]) == found
    assert (found["kind"], found["outcome"], found["subject"]) == ("convert", "converted", done["run_id"])
    assert found["started_by"].startswith("hand: ")
    counts = found["counts"]
    assert [counts[name] for name in ("files", "events", "parquet_files")] == [
        done[name] for name in ("files", "events", "parquet_files")
    ]
    assert counts["bytes"] >= len(body)
    assert counts["parquet_bytes"] > 0
    assert counts["dirty"] >= 1
    assert found["rows"] == done["rows"]

    row = query_one(cloud, f"select rows, dirty, started_by, year, steps from runs where id = '{found['id']}'")
    assert (row["rows"], row["dirty"], row["started_by"]) == (counts["rows"], counts["dirty"], found["started_by"])
    assert "Commit the run" in [step["name"] for step in row["steps"]]

    (version,) = cloud.run("file", key)["versions"]
    assert (version["converted"], version["chunks"][0]["run_id"]) == (True, done["run_id"])
    assert version["chunks"][0]["converted_at"] == found["ended_at"]
    assert [event["reason"] for event in version["dirty_events"]]
    rows = cloud.run("query", version["tables"][0]["sql"])
    assert [row["_source_key"] for row in rows] == [key]


def test_an_export_with_a_fault(cloud: Cloud, exports: DeployedExports) -> None:
    with exports.vendor(CATALOGUE["file-missing"].make()) as vendor:
        result = exports.export(vendor)
    assert result.exit_code == 1
    found = record_of(cloud, result.document["execution"])
    assert (found["outcome"], found["subject"]) == ("incomplete", result.document["slot"])
    assert found["cause"] == result.document["cause"]
    counts = {name: result.document[name] for name in ("promised", "copied", "refetched", "bytes")}
    assert found["counts"] == {**counts, "missing": len(result.document["missing"])}
    row = query_one(cloud, f"select missing, outcome from runs where id = '{found['id']}'")
    assert row == {"missing": 1, "outcome": "incomplete"}
