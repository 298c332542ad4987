"""The made-up files through `sluice ingest` and the real validation and conversion, in process."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner

from cli.event_files import ingest
from cli.event_files.ledger import converted_chunks, pending_chunks
from cli.event_files.status import backlog, dirty_counts
from cli.main import app
from cli.platform.session import Deployment
from sluice.event_files.ledger.model import SourceObject
from tests.support.moto_stage import LEDGER, SOURCE, MotoStage


class Announcing:
    """The source bucket's client; whatever is put into it is validated at once."""

    def __init__(self, moto_stage: MotoStage) -> None:
        self.moto_stage, self.lock = moto_stage, threading.Lock()

    def put_object(self, **request: Any) -> Any:
        with self.lock:
            answer = self.moto_stage.s3.put_object(**request)
            self.moto_stage.validate(SourceObject(request["Bucket"], request["Key"], answer["ETag"].strip('"')))
        return answer


@pytest.fixture
def stage(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    stage = Deployment("x", boto3.Session("test", "test", region_name="us-east-1"))
    stage.__dict__.update(s3=Announcing(moto_stage), outputs={"SourceBucket": SOURCE, "LedgerTable": LEDGER})
    monkeypatch.setattr(ingest, "connect", lambda _: stage)
    return stage


def run(*arguments: Any) -> dict[str, Any]:
    result = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def test_the_pipeline_makes_of_made_up_files_what_they_say(
    tmp_path: Path, moto_stage: MotoStage, stage: Deployment
) -> None:
    wanted = run("generate", tmp_path, "--files", 12, "--events", 400, "--seed", 7)
    found = run("ingest", tmp_path)
    assert found["totals"] == wanted["totals"]
    assert [file | {"status": "generated"} for file in found["files"]] == wanted["files"]

    pending = list(pending_chunks(stage))
    waiting = backlog(pending, moto_stage.now())
    assert (waiting.files, waiting.events) == (12, sum(wanted["totals"]["clean"].values()))
    counts = dirty_counts(pending)
    assert sum(sum(reasons.values()) for reasons in counts.values()) == sum(wanted["totals"]["dirty"].values())

    summary = moto_stage.convert()
    assert summary is not None
    assert summary.rows == wanted["totals"]["clean"]
    assert list(pending_chunks(stage)) == []
    assert dirty_counts(converted_chunks(stage)) == counts


def test_the_same_files_again_add_nothing(tmp_path: Path, moto_stage: MotoStage, stage: Deployment) -> None:
    run("generate", tmp_path, "--files", 3, "--events", 60)
    first = run("ingest", tmp_path)
    moto_stage.convert()
    again = run("ingest", tmp_path)
    assert again["totals"] == first["totals"]
    assert {file["status"] for file in again["files"]} == {"known"}
    assert list(pending_chunks(stage)) == []
    assert moto_stage.convert() is None
