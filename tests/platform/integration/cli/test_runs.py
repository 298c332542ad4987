"""`sluice runs` and `sluice run` over records of runs, and over executions without one."""

import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest

from cli.platform.console import out
from cli.platform.session import Deployment
from sluice.event_files.ledger.model import OpenRun
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.pipelines import RUN_KINDS
from sluice.runs.model import RunRecord
from sluice.runs.records import RunRecords, record_id
from tests.platform.unit.runs.recorded_executions import KINDS, NAMES, RecordedStepFunctions, recorded
from tests.platform.unit.runs.test_recording import COMMIT, RUN, record
from tests.support.cli_environment import connect_commands, deployment, sluice, sluice_json
from tests.support.moto.stage import LAKE, LEDGER, MotoStage


@pytest.fixture(autouse=True)
def stage(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    assert moto_stage
    machines = {kind.machine_output: machine for machine, kind in KINDS.items()}
    outputs = {"LakeBucket": LAKE, "LedgerTable": LEDGER, **machines}
    made = deployment(outputs=outputs, stepfunctions=RecordedStepFunctions(*map(recorded, NAMES)))
    connect_commands(made, monkeypatch)
    return made


def write(stage: Deployment, found: RunRecord) -> RunRecord:
    RunRecords(S3ObjectStore(stage.s3, LAKE), RUN_KINDS).write(found)
    return found


def at(found: RunRecord, start: datetime) -> RunRecord:
    """The same run, started at another time."""
    started_at = f"{start:%Y-%m-%dT%H:%M:%S}.000Z"
    return replace(found, id=record_id(found.kind, start, "00000000"), started_at=started_at)


def test_runs_are_listed_the_newest_first(stage: Deployment) -> None:
    now = datetime.now(UTC)
    names = ("convert_converted", "export_incomplete", "history_initialised")
    written = [write(stage, at(record(name), now - timedelta(hours=hours))) for hours, name in enumerate(names)]
    assert sluice_json("runs") == [json.loads(json.dumps(asdict(each))) for each in written]
    assert [each["kind"] for each in sluice_json("runs", "--kind", "export")] == ["export"]
    assert len(sluice_json("runs", "--limit", "2")) == 2
    printed = sluice("runs").stdout
    assert "40 rows from 6 files" in printed
    assert "hand: ann" in printed


def test_a_narrow_terminal_shows_starts_and_ids_whole(stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    found = write(stage, at(record("export_incomplete"), datetime.now(UTC)))
    ids = [found.id, write(stage, at(record("convert_failed"), datetime.now(UTC) - timedelta(hours=1))).id]
    monkeypatch.setattr(out, "width", 80)
    printed = sluice("runs").stdout
    assert all(re.search(rf" {name} *$", printed, re.MULTILINE) for name in ids)
    assert found.started_at[:10] in printed
    assert found.started_at[11:19] in printed
    assert "incomplete " in printed
    assert "Subject" not in printed


def test_no_runs_at_all() -> None:
    assert "No run has ended in the last 31 days." in sluice("runs").stderr


@pytest.mark.parametrize("name", ["id", "run", "execution", "name"])
def test_a_run_by_any_of_its_names(stage: Deployment, name: str) -> None:
    found = record("convert_converted")
    stage.s3.put_object(Bucket=LAKE, Key=f"runs/{RUN}/commit.json", Body=json.dumps(COMMIT).encode())
    if name in {"id", "run"}:
        write(stage, found)
    names = {"id": found.id, "run": RUN, "execution": found.execution, "name": found.execution.rpartition(":")[2]}
    assert sluice_json("run", names[name]) == json.loads(json.dumps(asdict(found)))


def test_the_open_run_is_shown_before_its_end(stage: Deployment, moto_stage: MotoStage) -> None:
    execution = recorded("convert_failed")
    described = stage.stepfunctions.executions[execution.arn].described  # type: ignore[attr-defined]
    described |= {"status": "RUNNING", "stopDate": None, "cause": None, "error": None}
    moto_stage.runs.claim_run(OpenRun("the-run", execution.arn))
    found = sluice_json("run", "the-run")
    assert (found["outcome"], found["execution"], found["cause"]) == ("running", execution.arn, "")


def test_steps_figures_cause_and_links_of_a_run(stage: Deployment) -> None:
    printed = sluice("run", write(stage, record("export_step_failed")).id).stdout
    assert "export of 20261122-08: incomplete" in printed
    assert "Cause in 'List the files': " in printed
    assert "█" in printed
    printed = sluice("run", write(stage, record("convert_converted")).id).stdout
    assert "RULE_BROKEN" in printed
    assert "parquet bytes" in printed
    assert f"summary: s3://lake-bucket/runs/{RUN}/commit.json" in printed


def test_an_unknown_run() -> None:
    assert "There is no run nonsense." in sluice("run", "nonsense", code=1).stderr
