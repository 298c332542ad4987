"""`sluice compact` on the deployed stack: the small files of runs become few, and nothing else changes."""

from pathlib import Path
from typing import Any

from cli.event_files.file_generation import event_files
from sluice.contracts.load import load_registry
from tests.support.local.deployed_cloud import Cloud

REGISTRY = load_registry()
TABLES = [contract.table for contract in REGISTRY.contracts]


def test_small_files_become_few(cloud: Cloud, tmp_path: Path) -> None:
    for seed in (400, 401):
        folder = tmp_path / str(seed)
        folder.mkdir()
        for file in event_files(REGISTRY, files=3, events=120, seed=seed):
            (folder / file.name).write_bytes(file.body)
        cloud.run("ingest", folder)
        assert cloud.run("convert")["status"] == "converted"
    rows, snapshots = _rows(cloud), {table: _snapshots(cloud, table) for table in TABLES}
    done = cloud.run("compact")
    assert not done["left"]
    for table in TABLES:
        changed, newest = done["tables"][table], _snapshots(cloud, table)[0]
        assert changed["files_before"] > changed["files_after"] > 0
        assert changed["duplicates"] == 0
        assert newest["run_id"] == done["run_id"]
        before = snapshots[table][0]
        assert newest["files"] == before["files"] - changed["files_before"] + changed["files_after"]
        assert newest["rows"] == before["rows"]
        assert cloud.run("query", f"select count(*) as n from {table}") == [{"n": before["rows"]}]
    assert _rows(cloud) == rows
    again = cloud.run("compact", TABLES[0].lower())
    assert again["tables"][TABLES[0]]["files_before"] == 0


def _snapshots(cloud: Cloud, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cloud.run("table", table)
    return found


def _rows(cloud: Cloud) -> dict[str, list[str]]:
    return {table: sorted(map(repr, cloud.rows(table))) for table in TABLES}
