"""The digest's function and schedules."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infra import stage as stages
from infra.platform.observability.settings import Watch
from infra.stage import stage_named
from tests.platform.infra.test_permissions import EVERY_FUNCTION
from tests.support.synthesis import Synthesis, listed, synthesise, text

SCHEDULE = "AWS::Scheduler::Schedule"
WEEKLY = replace(stage_named("int"), name="weekly", watch=Watch(daily_digest=None, weekly_digest="cron(7 6 ? * TUE *)"))
RIGHTS = {
    ("s3:ListBucket", "lake"),
    ("s3:GetObject", "lake/{root}DataObservability/observations.parquet"),
    ("s3:GetObject", "lake/data/run_records/*"),
    ("s3:PutObject", "lake/data/reports/*"),
    ("dynamodb:Query", "ledger"),
    ("sns:Publish", "topic"),
    ("sqs:SendMessage", "missed calls"),
}


@pytest.fixture(scope="module")
def weekly(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """A stage that sends a digest a week and none a day."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(stages._STAGES, WEEKLY.name, WEEKLY)
        return synthesise(WEEKLY.name, Path(tmp_path_factory.mktemp(WEEKLY.name)))


def sent(stage: Synthesis) -> dict[str, str]:
    """When which span is sent."""
    found = [each["Properties"] for name, each in stage.watch.of_type(SCHEDULE).items() if name.startswith("Digests")]
    for each in found:
        assert text(each["Target"]["Arn"]).startswith("<DigestsSendDigestFunction")
        assert each["ScheduleExpressionTimezone"] == "UTC"
    return {json.loads(each["Target"]["Input"])["span"]: each["ScheduleExpression"] for each in found}


def test_a_lasting_stage_sends_both_early_in_the_morning(prd: Synthesis) -> None:
    assert sent(prd) == {"day": "cron(0 5 * * ? *)", "week": "cron(0 5 ? * MON *)"}


def test_a_stage_sends_what_it_is_set_to(weekly: Synthesis) -> None:
    assert sent(weekly) == {"week": "cron(7 6 ? * TUE *)"}


@pytest.mark.parametrize("name", ["local", "we-1234-some-feature"])
def test_a_passing_stage_sends_none_but_can_be_asked(name: str, synthesis_of: Callable[[str], Synthesis]) -> None:
    stage = synthesis_of(name)
    assert sent(stage) == {}
    assert stage.function("send_digest")


def test_the_function_may_do_this_and_nothing_else(prd: Synthesis) -> None:
    root = prd.stage.exports.environment.root
    assert rights(prd, "DigestsSendDigestRole") == {(a, r.format(root=root)) for a, r in RIGHTS} | EVERY_FUNCTION


@pytest.mark.parametrize("schedule", ["EachDay", "EachWeek"])
def test_a_schedule_may_call_the_function_and_nothing_else(prd: Synthesis, schedule: str) -> None:
    calls = {("lambda:InvokeFunction", "send_digest"), ("sqs:SendMessage", "missed calls")}
    assert rights(prd, f"Digests{schedule}Role") == calls


def rights(stage: Synthesis, role: str) -> set[tuple[str, str]]:
    """What a role is allowed."""
    statements: list[dict[str, Any]] = stage.watch.statements(role)
    return {
        (action, _known(text(resource)))
        for statement in statements
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def _known(resource: str) -> str:
    """The name of a resource in this file."""
    starts = {
        "import:Sluice-prd-Lake:ExportsOutputFnGetAttLake": "lake",
        "import:Sluice-prd-Lake:ExportsOutputFnGetAttLedger": "ledger",
        "<NotificationsTopic": "topic",
        "<DigestsSendDigestFunction": "send_digest",
        "<DigestsSendDigestLog": "own log",
        "<MissedCalls": "missed calls",
    }
    for start, name in starts.items():
        if resource.startswith(start):
            _, slash, key = resource.partition("/")
            return f"{name}{slash}{key}"
    return resource
