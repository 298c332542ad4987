"""Checks of the pipeline of `docs/add-a-pipeline.md`, run in a copy of the project that has it.

`tests/platform/infra/test_add_a_pipeline.py` makes the copy and runs this file there: here it is not collected.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from aws_cdk import App

from app import build
from cli.platform.session import Deployment
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.digest.build import DigestSources
from sluice.observability.digest.message import document_of, message_of
from sluice.observability.digest.page import digest_page
from sluice.observability.digest.periods import Period, PeriodKind
from sluice.pipelines import PIPELINES, RUN_KINDS
from sluice.runs.records import RunRecords
from sluice.runs.runs_table import runs_table
from tests.platform.integration.cli.test_report import SOURCES
from tests.platform.unit.digest.sample_runs import run
from tests.support.cli_environment import sluice, sluice_json, stage
from tests.support.stages import stage_named
from tests.support.synthesis import settings

__all__ = ["stage"]

NOW = datetime.now(UTC)
COUNTS = {"objects": 7, "bytes": 4096}


def inventory_records(stage: Deployment) -> RunRecords:
    records = RunRecords(S3ObjectStore(stage.s3, "the-lake"), RUN_KINDS)
    records.write(run(NOW - timedelta(minutes=5), "inventory", "counted", counts=COUNTS))
    return records


def test_status_shows_its_line_and_its_run(stage: Deployment) -> None:
    inventory_records(stage)
    stage.__dict__["stepfunctions"] = SimpleNamespace(list_executions=lambda **_: {"executions": []})
    kept = {"day": "2026-11-30", "objects": 7, "bytes": 4096}
    S3ObjectStore(stage.s3, "the-lake").write("data/source_inventory/2026-11-30.json", json.dumps(kept).encode())
    assert sluice_json("status")["inventory"] == kept
    printed = sluice("status").stdout
    assert "Source bucket: 7 objects, 4,096 bytes on 2026-11-30" in printed
    assert "counted" in printed


def test_runs_are_listed_recorded_and_queried(stage: Deployment) -> None:
    inventory_records(stage)
    (found,) = sluice_json("runs", "--kind", "inventory")
    assert found["counts"] == COUNTS
    assert {"objects", "bytes"} <= {column.name for column in runs_table(RUN_KINDS.values()).columns}
    assert "Count the objects of the source bucket" in sluice("inventory", "--help").stdout


def test_the_digest_has_its_section(stage: Deployment) -> None:
    inventory_records(stage)
    sources = DigestSources(
        stage="x",
        pipelines=PIPELINES,
        lake=S3ObjectStore(stage.s3, "the-lake"),
        dynamodb=stage.dynamodb,
        settings=SOURCES,
    )
    digest = sources.digest(Period(PeriodKind.DAY, NOW + timedelta(hours=1)), NOW)
    assert document_of(digest)["runs"]["inventory"] == {"total": 1, "outcomes": {"counted": 1}}
    assert b"Inventories that succeeded" in digest_page(digest)
    assert "1 of 1 succeeded" in message_of(digest, {}).text


def test_dashboards_and_alarms_show_it(tmp_path: Path) -> None:
    app = App(context=settings(), outdir=str(tmp_path))
    build(app, stage_named("int"))
    app.synth()
    template = json.loads((tmp_path / "Sluice-int.template.json").read_text())
    resources = template["Resources"].values()
    alarms = {each["Properties"]["AlarmName"] for each in resources if each["Type"] == "AWS::CloudWatch::Alarm"}
    composites = json.dumps([each for each in resources if each["Type"] == "AWS::CloudWatch::CompositeAlarm"])
    dashboards = json.dumps([each for each in resources if each["Type"] == "AWS::CloudWatch::Dashboard"])
    assert "Sluice-int-InventoryFailed" in alarms
    assert "Sluice-int-SourceInventory" in composites
    for shown in ("Objects of the source bucket", "Inventory: executions", "take_inventory", "Retries"):
        assert shown in dashboards
