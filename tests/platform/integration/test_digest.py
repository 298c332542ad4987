"""send_digest: the page of the span lies in the lake, and people are told once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.sns.models import sns_backends

from sluice.aws import clients
from sluice.event_files.ledger.freshness_dynamodb import DynamoFreshness
from sluice.runs.records_s3 import S3RunRecords
from sluice.vendor_exports.completeness.keys import state_key
from sluice.vendor_exports.completeness.state import encode
from sluice.vendor_exports.delivery.slots import Environment
from tests.platform.unit.digest.making import conversion
from tests.support.functions import Handler, load
from tests.support.storage import objects_of
from tests.support.world import LAKE, LEDGER, World
from tests.vendor_exports.unit.completeness.deliveries import seen, slots

DAY_END = datetime(2026, 1, 31, tzinfo=UTC)  # slots begin at 20:00 of the day before
KEY = "data/reports/day-2026-01-30.html"
ASKED = {"span": "day", "until": "2026-01-31"}


@pytest.fixture
def topic(world: World) -> str:
    assert world
    clients.sns.cache_clear()
    arn: str = boto3.client("sns").create_topic(Name="topic")["TopicArn"]
    return arn


@pytest.fixture
def send_digest(world: World, topic: str, monkeypatch: pytest.MonkeyPatch) -> Handler:
    S3RunRecords(world.s3, LAKE).write(conversion(DAY_END - timedelta(hours=1), 90, 10))
    S3RunRecords(world.s3, LAKE).write(conversion(DAY_END, 7, 0))
    first, second = slots(2)
    state = encode([seen(first, ["A", "Odd"], ["A", "B", "Odd"]), seen(second, ["A", "B"], ["A", "B", "Odd"])])
    world.lake.write(state_key(Environment.TEST), state)
    DynamoFreshness(world.dynamodb, LEDGER).note({"HEADLINER_EVENT": "2026-01-30T22"})
    settings = {"REGION": "eu-west-1", "TOPIC": topic, "ENVIRONMENT": "Test", "OUT_OF_SCOPE": "Odd,Other"}
    return load("send_digest", monkeypatch, **settings)


def sent() -> list[tuple[str, str]]:
    """Subject and body of every message."""
    backend = sns_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
    return [
        (str(subject), body) for each in backend.topics.values() for _, body, subject, *_ in each.sent_notifications
    ]


def test_a_day(send_digest: Handler) -> None:
    answer = send_digest(ASKED)
    ((subject, body),) = sent()
    assert answer == {"key": KEY, "subject": subject, "notices": 1}
    assert subject == "Sluice test: 1 thing to look at, day to 2026-01-30"
    assert "- 1 of 2 hours lack an export or tables of it" in body
    assert "Clean share:  90.00 %" in body
    assert f"Page: s3://{LAKE}/{KEY}\n" in body
    assert f"https://eu-west-1.console.aws.amazon.com/s3/object/{LAKE}?region=eu-west-1&prefix={KEY}\n" in body
    assert "sluice report --stage test --span day --until 2026-01-31T00:00Z --open" in body
    page = objects_of(LAKE, KEY)[KEY].decode()
    assert "20260130-22" in page, "the newest hour of the table"
    assert "1 table missing: B" in page, "the gap"


def test_again_the_page_is_replaced_and_people_are_told_again(send_digest: Handler) -> None:
    first, second = send_digest(ASKED), send_digest(ASKED)
    assert first == second
    assert list(objects_of(LAKE, "data/reports/")) == [KEY]
    assert len(sent()) == 2


def test_without_an_end_it_is_the_last_whole_week(send_digest: Handler) -> None:
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    assert send_digest({"span": "week"})["key"] == f"data/reports/week-{yesterday}.html"


def test_an_empty_stage_has_a_digest_too(world: World, topic: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world
    settings = {"REGION": "eu-west-1", "TOPIC": topic, "ENVIRONMENT": "Prod", "OUT_OF_SCOPE": ""}
    load("send_digest", monkeypatch, **settings)(ASKED)
    assert [subject for subject, _ in sent()] == ["Sluice test: no runs, day to 2026-01-30"]


def test_nobody_is_told_of_a_page_that_could_not_be_written(
    send_digest: Handler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutObject")

    monkeypatch.setattr(clients.s3(), "put_object", refuse)
    with pytest.raises(Exception, match=r"reports/day-2026-01-30.html: s3:PutObject failed \(AccessDenied\)"):
        send_digest(ASKED)
    assert sent() == []


@pytest.mark.parametrize("event", [{"span": "year"}, {"span": "day", "until": "soon"}, {}])
def test_what_is_no_span_is_refused(send_digest: Handler, event: dict[str, str]) -> None:
    with pytest.raises((ValueError, KeyError)):
        send_digest(event)
    assert sent() == []
