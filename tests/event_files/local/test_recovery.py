"""Conversions that fail or overlap: runs are finished, no row is lost, none is written twice."""

from pathlib import Path

import pytest

from cli.event_files.file_generation import event_files
from sluice.contracts.load import load_registry
from sluice.event_files.ledger.model import chunk_id_of
from tests.support.local.deployed_cloud import Cloud, CommandError
from tests.support.local.deployed_functions import Functions

REGISTRY = load_registry()


def _ingest(cloud: Cloud, folder: Path, seed: int) -> int:
    """Ingest some files, and return the number of their clean events."""
    clean = 0
    for file in event_files(REGISTRY, files=3, events=60, seed=seed):
        (folder / file.name).write_bytes(file.body)
        clean += file.counts.clean.total()
    cloud.run("ingest", folder)
    return clean


def _pending(cloud: Cloud) -> int:
    return int(cloud.run("status")["backlog"]["chunks"])


def test_what_a_failed_run_planned_is_converted_by_the_next(cloud: Cloud, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    clean_before = _ingest(cloud, first, seed=200)
    functions, stopped = Functions(cloud, "event_files"), "goes on where this one stopped"
    without_rights = functions.without("convert_batch", *functions.rights("convert_batch"))
    with without_rights, pytest.raises(CommandError, match=stopped):
        cloud.run("convert")
    clean_after = _ingest(cloud, second, seed=201)
    converted, following = cloud.run("convert"), cloud.run("convert")
    assert [converted["status"], following["status"]] == ["converted", "nothing_to_do"]
    assert converted["events"] == sum(converted["rows"].values()) == clean_before + clean_after
    assert _pending(cloud) == 0


def test_two_conversions_at_once_convert_once(cloud: Cloud, tmp_path: Path) -> None:
    clean = _ingest(cloud, tmp_path, seed=300)
    machine = cloud.output("ConvertMachine")
    started = [cloud.deployment.stepfunctions.start_execution(stateMachineArn=machine) for _ in range(2)]
    last = cloud.run("convert")  # waits for a run that is going on
    for execution in started:
        described = cloud.deployment.stepfunctions.describe_execution(executionArn=execution["executionArn"])
        assert described["status"] in {"SUCCEEDED", "RUNNING"}
    assert last["status"] in {"converted", "nothing_to_do"}
    assert _pending(cloud) == 0
    keys = {file.name for file in event_files(REGISTRY, files=3, events=60, seed=300)}
    rows = [row for contract in REGISTRY.contracts for row in cloud.rows(contract.table) if row["_source_key"] in keys]
    assert len(rows) == clean
    assert len({(row["_source_key"], row["_source_offset"]) for row in rows}) == clean


def test_a_lost_chunk_holds_nothing_up_and_its_files_are_validated_again(cloud: Cloud, tmp_path: Path) -> None:
    clean, before = 0, cloud.keys("data/clean_json/")
    for seed in (400, 401):
        (tmp_path / str(seed)).mkdir()
        clean += _ingest(cloud, tmp_path / str(seed), seed)
    (lost, *others) = (key for key in cloud.keys("data/clean_json/") if key not in before)
    assert others
    cloud.deployment.s3.delete_object(Bucket=cloud.output("LakeBucket"), Key=lost)
    with pytest.raises(CommandError, match=f"{chunk_id_of(lost)}.* does not exist"):
        cloud.run("convert")
    (left_out,) = cloud.run("status")["left_out"]
    assert left_out["chunk_id"] == chunk_id_of(lost)
    assert len(_rows_of(cloud, (400, 401))) == clean - left_out["events"]
    found = cloud.run("ingest", "--again", left_out["chunk_id"])
    assert (found["totals"]["files"], sum(found["totals"]["clean"].values())) == (left_out["files"], left_out["events"])
    assert cloud.run("convert")["events"] == left_out["events"]
    rows = _rows_of(cloud, (400, 401))
    assert len(rows) == len(set(rows)) == clean
    assert _pending(cloud) == 0


def _rows_of(cloud: Cloud, seeds: tuple[int, ...]) -> list[tuple[str, int]]:
    """Return key and offset of the rows of generated files."""
    keys = {file.name for seed in seeds for file in event_files(REGISTRY, files=3, events=60, seed=seed)}
    rows = [row for contract in REGISTRY.contracts for row in cloud.rows(contract.table)]
    return [(row["_source_key"], row["_source_offset"]) for row in rows if row["_source_key"] in keys]
