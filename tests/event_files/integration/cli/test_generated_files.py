"""Generated files through `sluice ingest` and the real validation and conversion, in process."""

import threading
from pathlib import Path
from typing import Any

import pytest

from cli.event_files.ledger import runs_of
from cli.event_files.status import backlog, dirty_counts
from cli.platform.session import Deployment
from sluice.event_files.ledger.ledger_dynamodb import CONVERTED, PENDING
from sluice.event_files.ledger.model import SourceObject
from tests.support.cli_environment import connect_commands, deployment, sluice_json
from tests.support.moto_stage import LEDGER, SOURCE, MotoStage


class ValidatingBucket:
    """The source bucket's client; objects are validated as soon as they are put."""

    def __init__(self, moto_stage: MotoStage) -> None:
        self.moto_stage, self.lock = moto_stage, threading.Lock()

    def put_object(self, **request: Any) -> Any:
        with self.lock:
            answer = self.moto_stage.s3.put_object(**request)
            self.moto_stage.validate(SourceObject(request["Bucket"], request["Key"], answer["ETag"].strip('"')))
        return answer


@pytest.fixture
def stage(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    made = deployment(s3=ValidatingBucket(moto_stage), outputs={"SourceBucket": SOURCE, "LedgerTable": LEDGER})
    connect_commands(made, monkeypatch)
    return made


def test_counts_of_generated_files_are_those_of_their_events(
    tmp_path: Path, moto_stage: MotoStage, stage: Deployment
) -> None:
    wanted = sluice_json("generate", tmp_path, "--files", 12, "--events", 400, "--seed", 7)
    found = sluice_json("ingest", tmp_path)
    assert found["totals"] == wanted["totals"]
    assert [file | {"status": "generated"} for file in found["files"]] == wanted["files"]

    pending = list(runs_of(stage).items_under(PENDING))
    waiting = backlog(pending, moto_stage.now())
    assert (waiting.files, waiting.events) == (12, sum(wanted["totals"]["clean"].values()))
    counts = dirty_counts(pending)
    assert sum(sum(reasons.values()) for reasons in counts.values()) == sum(wanted["totals"]["dirty"].values())

    summary = moto_stage.convert()
    assert summary is not None
    assert summary.rows == wanted["totals"]["clean"]
    assert list(runs_of(stage).items_under(PENDING)) == []
    assert dirty_counts(runs_of(stage).items_under(CONVERTED, newest_first=True)) == counts
