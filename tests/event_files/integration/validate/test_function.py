"""validate_files as SQS calls it: exactly the messages that must come again are reported."""

import json
from typing import Any

import pytest

from sluice.aws.runtime import SettingsError
from tests.support.lambda_context import Context
from tests.support.lambda_handlers import (
    ENVIRONMENT,
    Handler,
    emitted,
    eventbridge_announcement,
    load_handler,
    payload,
    s3_announcement,
    sqs_event,
)
from tests.support.moto.aws_calls import AwsUnavailableError, Call, parameters_of
from tests.support.moto.backend import answer_with_error
from tests.support.moto.stage import SOURCE, MotoStage
from tests.support.new_files_queue import NewFilesQueue
from tests.support.sample_events import body, event
from tests.support.snapshots import assert_books_balance, ledger, tables

pytestmark = pytest.mark.usefixtures("roles")

ONE = body(event("MICROONE_EVENT", 1))

PLENTY, TOO_LITTLE = 600_000, 29_999  # milliseconds


@pytest.fixture
def validate_files(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Handler:
    assert moto_stage
    return load_handler("validate_files", monkeypatch)


def test_a_mixed_batch(moto_stage: MotoStage, validate_files: Handler) -> None:
    names = ("known", "good", "broken", "gone", "denied", "far", "twin")
    known, good, broken, gone, denied, far, twin = (moto_stage.put(name, ONE) for name in names)
    moto_stage.validate(known)
    moto_stage.s3.delete_object(Bucket=SOURCE, Key="gone")
    messages = {
        "known": eventbridge_announcement(known),
        "good": eventbridge_announcement(good),
        "no form": "what is this?",
        "a list": "[]",
        "gone": eventbridge_announcement(gone),
        "denied": eventbridge_announcement(denied),
        "two, one of them denied": s3_announcement(far, denied),
        "two good ones": s3_announcement(good, twin),
        "a twin": eventbridge_announcement(twin),
        "test": json.dumps(payload("s3_test_event")),
        "removed": json.dumps(payload("s3_object_removed")),
        "broken": eventbridge_announcement(broken),
    }
    forbidden = answer_with_error(moto_stage.s3, "GetObject", "denied", 403, "AccessDenied")
    undecipherable = answer_with_error(moto_stage.s3, "GetObject", "broken", 400, "KMS.DisabledException")
    with forbidden, undecipherable:
        answer = validate_files(sqs_event(messages))
    assert _failed(answer) == {"no form", "a list", "denied", "two, one of them denied", "broken"}
    assert _statuses() == {
        **dict.fromkeys(("known", "good", "far", "twin"), "validated"),
        "gone": "gone",
        "denied": "unreadable",
    }
    assert_books_balance()
    again = {name: messages[name] for name in _failed(answer)}
    assert _failed(validate_files(sqs_event(again, received=2))) == {"no form", "a list"}
    assert _statuses() == {**dict.fromkeys(names, "validated"), "gone": "gone"}
    moto_stage.convert()
    assert len(tables()["MICROONE_EVENT"]) == 6


def test_only_buckets_of_their_owner_are_read(moto_stage: MotoStage, validate_files: Handler) -> None:
    announcement = eventbridge_announcement(moto_stage.put("x", ONE))
    with parameters_of(moto_stage.s3) as asked:
        validate_files(sqs_event({"x": announcement}))
    owners = [params.get("ExpectedBucketOwner") for name, params in asked if name == "GetObject"]
    assert owners == [ENVIRONMENT["SOURCE_OWNER"]]


@pytest.mark.parametrize(("received", "looked_up"), [(1, False), (2, True)])
def test_only_what_comes_again_is_looked_up(
    moto_stage: MotoStage, validate_files: Handler, received: int, looked_up: bool
) -> None:
    message = sqs_event({"m": eventbridge_announcement(moto_stage.put("a", ONE))}, received)
    with moto_stage.calls.record() as operations:
        assert _failed(validate_files(message)) == set()
    assert ("BatchGetItem" in operations) == looked_up
    assert _statuses() == {"a": "validated"}


def test_objects_without_time_left_are_announced_anew(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """They were not even begun: their delivery does not count, however often that happens."""
    queue = NewFilesQueue()
    validate_files = queue.start(monkeypatch)
    queue.announce(*(moto_stage.put(str(number), ONE) for number in range(4)))
    assert queue.deliver(validate_files, Context([PLENTY, PLENTY, TOO_LITTLE])) == [1] * 4
    assert _statuses() == {"0": "validated", "1": "validated"}, "what was done in time is committed"
    for _ in range(queue.max_receives + 1):
        assert queue.deliver(validate_files, Context([TOO_LITTLE])) == [1, 1]
    assert queue.deliver(validate_files) == [1, 1]
    assert queue.deliver(validate_files) == []
    assert queue.dead_letters() == []
    assert _statuses() == dict.fromkeys("0123", "validated")
    assert_books_balance()


def test_what_waits_for_its_turn_gets_its_time(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """New files leave time for one that was delivered before; of several, those without time are announced anew."""
    queue = NewFilesQueue()
    validate_files = queue.start(monkeypatch)
    old, older, new = (moto_stage.put(key, ONE) for key in ("old", "older", "new"))
    queue.announce(old, older)
    queue.deliver(None)
    queue.announce(new)
    enough = 1000 * (120 + 15)
    assert queue.deliver(validate_files, Context([enough + 14_000, enough, enough, TOO_LITTLE])) == [1, 2, 2]
    assert _statuses() == {"old": "validated"}
    assert queue.deliver(validate_files) == [1, 1]
    assert _statuses() == dict.fromkeys(("old", "older", "new"), "validated")


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_when_a_function_dies_its_whole_batch_comes_again(moto_stage: MotoStage, validate_files: Handler) -> None:
    messages = {"a": eventbridge_announcement(moto_stage.put("a", ONE))}
    with moto_stage.calls.intercept(_without_ledger), pytest.raises(AwsUnavailableError):
        validate_files(sqs_event(messages, received=2))


def test_outcomes_are_counted_and_logged(
    moto_stage: MotoStage,
    validate_files: Handler,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    good, denied = moto_stage.put("good", body(event("MICROONE_EVENT", 1), b"?")), moto_stage.put("denied", ONE)
    messages = {"good": eventbridge_announcement(good), "denied": eventbridge_announcement(denied), "none": "{}"}
    with answer_with_error(moto_stage.s3, "GetObject", "denied", 403, "AccessDenied"):
        validate_files(sqs_event(messages))
    (metrics,) = emitted(capsys.readouterr().out)
    assert metrics["FilesValidated"] == [2]
    for name in ("FilesFailed", "EventsClean", "EventsDirty", "ColdStarts"):
        assert metrics[name] == [1]
    assert "FilesSkipped" not in metrics
    assert metrics["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["stage", "pipeline"]]
    assert (metrics["stage"], metrics["pipeline"]) == ("test", "event_files")
    logged = {record.getMessage(): vars(record) for record in caplog.records}
    assert logged["object failed"]["key"] == "denied"
    assert "s3:GetObject" in logged["object failed"]["reason"]
    assert logged["unknown announcement"]["message_id"] == "none"


@pytest.mark.parametrize(("variable", "value"), [("CHUNK_BYTES", "many"), ("MAX_FILE_BYTES", "")])
def test_a_wrong_setting_is_named_at_start(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load_handler("validate_files", monkeypatch, **{variable: value})


def _failed(answer: dict[str, Any]) -> set[str]:
    names = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert len(names) == len(set(names))
    return set(names)


def _statuses() -> dict[str, str]:
    return {item["pk"].rpartition("/")[2]: item["status"] for item in ledger("source#")}


def _without_ledger(operation: str, call: Call) -> Any:
    if operation == "BatchGetItem":
        raise AwsUnavailableError
    return call()
