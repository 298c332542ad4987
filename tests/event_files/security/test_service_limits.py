"""No value of an event, a key or a message reaches a service beyond that service's limits, and takes others along."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sluice.event_files.metrics import MEDIA_MISSING
from sluice.event_files.validate.announcements import UnknownAnnouncementError, announced_objects, changes
from tests.support.lambda_handlers import payload
from tests.support.moto.backend import items_of
from tests.support.moto.stage import LEDGER, MotoStage
from tests.support.sample_events import body, event

GOOD = 200
MEDIA = [  # library, id: DynamoDB takes 2,048 bytes for the one, 1,024 for the other
    ("MYLIB", "x" * 1_025),
    ("MYLIB", "é" * 513),
    ("MYLIB", "x" * 1_000_000),
    ("MYLIB", int("9" * 18)),
    ("MYLIB", "\0\n\U0010ffff"),
    ("M" * 2_049, "1"),
    ("", ""),
]


@contextmanager
def key_limits(moto_stage: MotoStage) -> Iterator[None]:
    """Refuse queries as DynamoDB does, and moto does not: by the lengths of what keys are compared with."""

    def check(params: dict[str, Any], **_: object) -> None:
        values = params["ExpressionAttributeValues"]
        lengths = {name: len(value["S"].encode()) for name, value in values.items()}
        if lengths.pop(":folder") not in range(1, 2_049) or not all(0 < length <= 1_024 for length in lengths.values()):
            raise ValueError(f"One or more parameter values were invalid: {lengths}")

    events, name = moto_stage.dynamodb.meta.events, "provide-client-params.dynamodb.Query"
    events.register(name, check)
    try:
        yield
    finally:
        events.unregister(name, check)


def test_media_that_no_key_could_name_are_not_found(moto_stage: MotoStage) -> None:
    payloads = [{"media_id": media_id, "medialib": library} for library, media_id in MEDIA]
    bad = body(*(event("SIM_EVENT", 1, type="SELECT_IMAGE", payload=each) for each in payloads))
    good = body(*(event("MICROONE_EVENT", number) for number in range(GOOD)))
    source = moto_stage.put("x", good + bad + good)
    with key_limits(moto_stage):
        outcome = moto_stage.validate(source)
    assert outcome.failed == {}
    assert outcome.totals()[MEDIA_MISSING] == len(MEDIA)
    assert moto_stage.record(source)["clean"] == {"MICROONE_EVENT": 2 * GOOD, "SIM_EVENT": len(MEDIA)}


@pytest.mark.parametrize("member", ["bucket", "key", "etag", "sequencer", "version-id"])
@pytest.mark.parametrize("value", ["x" * 2_000, "é" * 1_000, "", 7, ["x"], "\ud800"])
def test_names_beyond_what_a_key_of_the_ledger_takes_are_no_announcement(member: str, value: Any) -> None:
    """One of them would fail all that is looked up in one request with it."""
    message = payload("eventbridge_object_created")
    if member == "bucket":
        message["detail"]["bucket"]["name"] = value
    else:
        message["detail"]["object"][member] = value
    if member in {"sequencer", "version-id"} and not value:
        assert len(changes(json.dumps(message))) == 1, "S3 does not always give one"
        return
    with pytest.raises(UnknownAnnouncementError):
        announced_objects(json.dumps(message))


def test_the_reason_why_a_file_failed_is_cut(moto_stage: MotoStage) -> None:
    """An item of DynamoDB has 400 KB, a line of the log 256."""
    source = moto_stage.put("x", b"{}")

    def fail(**_: object) -> None:
        raise ValueError("x" * 1_000_000)

    events, name = moto_stage.s3.meta.events, "provide-client-params.s3.GetObject"
    events.register(name, fail)
    outcome = moto_stage.validate_again(source)
    events.unregister(name, fail)
    assert len(outcome.failed[source]) == len(moto_stage.record(source)["message"]) == 2_000
    assert len(items_of(LEDGER)) == 1
