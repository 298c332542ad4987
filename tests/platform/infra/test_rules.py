"""The security rules of cdk-nag, as `app.py` applies them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from app import build
from tests.support.stages import FEATURE, STAGES, stage_named
from tests.support.synthesis import Synthesis, settings


@pytest.mark.parametrize("name", [*STAGES, FEATURE])
def test_every_stage_keeps_the_rules(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    assert {pack: rules for pack, rules in _reports(synthesis_of(name).folder).items() if rules} == {}


def test_broken_rules_stop_the_synthesis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.add_stack", lambda _app, _stage: None)
    app = App(context=settings(), outdir=str(tmp_path))
    build(app, stage_named("dev"))
    careless = Stack(app, "Careless")
    s3.Bucket(careless, "Open")
    sqs.Queue(careless, "Endless")
    with pytest.raises(RuntimeError, match="Validation"):
        app.synth()
    broken = {rule for rules in _reports(tmp_path).values() for rule in rules}
    assert {"AwsSolutions-S1", "AwsSolutions-S10", "AwsSolutions-SQS4", "Serverless-SQSRedrivePolicy"} <= broken


def _reports(folder: Path) -> dict[str, list[str]]:
    """Broken rules by pack."""
    reports: list[dict[str, Any]] = json.loads((folder / "validation-report.json").read_text())["pluginReports"]
    return {report["pluginName"]: [each["ruleName"] for each in report["violations"]] for report in reports}
