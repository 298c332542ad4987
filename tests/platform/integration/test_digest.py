"""send_digest: the page of the period lies in the lake, and one message is sent."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from sluice.aws import runtime
from sluice.pipelines import RUN_KINDS
from sluice.runs.records import RunRecords
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.history_files import state_key
from sluice.vendor_exports.completeness.observation_file import write_observations
from tests.platform.unit.digest.sample_runs import conversion
from tests.support.lambda_handlers import Handler, load_handler
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, LEDGER, MotoStage
from tests.vendor_exports.unit.completeness.deliveries import seen, slots

DAY_END = datetime(2026, 1, 31, tzinfo=UTC)  # slots begin at 20:00 of the day before
KEY = "data/reports/day-2026-01-30.html"
ASKED = {"span": "day", "until": "2026-01-31"}


@pytest.fixture
def topic(moto_stage: MotoStage) -> str:
    assert moto_stage
    runtime.sns.cache_clear()
    arn: str = boto3.client("sns").create_topic(Name="topic")["TopicArn"]
    return arn


@pytest.fixture
def send_digest(moto_stage: MotoStage, topic: str, monkeypatch: pytest.MonkeyPatch) -> Handler:
    records = RunRecords(moto_stage.lake, RUN_KINDS)
    records.write(conversion(DAY_END - timedelta(hours=1), 90, 10))
    records.write(conversion(DAY_END, 7, 0))
    first, second = slots(2)
    state = write_observations(
        [seen(first, ["A", "Odd"], ["A", "B", "Odd"]), seen(second, ["A", "B"], ["A", "B", "Odd"])]
    )
    moto_stage.lake.write(state_key(Environment.TEST), state)
    moto_stage.runs.note_newest_hours({"HEADLINER_EVENT": "2026-01-30T22"})
    return load_send_digest(monkeypatch, topic, environment="Test", out_of_scope="Odd,Other")


def load_send_digest(monkeypatch: pytest.MonkeyPatch, topic: str, **vendor_exports: str) -> Handler:
    sources = {"event_files": {"ledger_table": LEDGER}, "vendor_exports": vendor_exports}
    settings = {"REGION": "eu-west-1", "TOPIC": topic, "DIGEST_SOURCES": json.dumps(sources)}
    return load_handler("send_digest", monkeypatch, **settings)


def sent() -> list[tuple[str, str]]:
    """Subject of every message and its text for e-mail."""
    backend = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
    notifications = [each for topic in backend.topics.values() for each in topic.sent_notifications]
    return [(str(subject), json.loads(body)["email"]) for _, body, subject, *_ in notifications]


def test_a_day_becomes_a_page_and_a_message(send_digest: Handler) -> None:
    answer = send_digest(ASKED)
    ((subject, body),) = sent()
    assert answer == {"key": KEY, "subject": subject, "notices": 1}
    assert subject == "Sluice test: 1 thing to look at, day to 2026-01-30"
    assert "- 1 of 2 hours lack an export or tables of it" in body
    assert "Clean share:     90.00 %" in body
    assert f"Page: s3://{LAKE}/{KEY}\n" in body
    assert f"https://eu-west-1.console.aws.amazon.com/s3/object/{LAKE}?region=eu-west-1&prefix={KEY}\n" in body
    assert "sluice report --stage test --span day --until 2026-01-31T00:00Z --open" in body
    page = objects_of(LAKE, KEY)[KEY].decode()
    assert "20260130-22" in page, "the newest hour of the table"
    assert "1 table missing: B" in page, "the gap"


def test_the_default_end_is_that_of_the_last_whole_week(send_digest: Handler) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert send_digest({"span": "week"})["key"] == f"data/reports/week-{yesterday}.html"


def test_an_empty_stage_has_a_digest_too(moto_stage: MotoStage, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert moto_stage
    load_send_digest(monkeypatch, topic, environment="Prod", out_of_scope="")(ASKED)
    assert [subject for subject, _ in sent()] == ["Sluice test: no runs, day to 2026-01-30"]


def test_no_message_is_sent_without_its_page(send_digest: Handler, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    monkeypatch.setattr(runtime.s3(), "put_object", refuse)
    with pytest.raises(Exception, match=r"reports/day-2026-01-30.html: s3:PutObject failed \(AccessDenied\)"):
        send_digest(ASKED)
    assert sent() == []


@pytest.mark.parametrize("event", [{"span": "year"}, {"span": "day", "until": "soon"}, {}])
def test_an_event_without_a_valid_span_is_refused(send_digest: Handler, event: dict[str, str]) -> None:
    with pytest.raises((ValueError, KeyError)):
        send_digest(event)
    assert sent() == []
