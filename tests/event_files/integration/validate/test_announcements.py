"""From a queue message to the object it announces, whatever its key looks like."""

import json
from typing import Any

import pytest

from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.announcements import Change, UnknownAnnouncementError, announced_objects, changes
from tests.support.lambda_handlers import eventbridge_announcement, payload, s3_announcement
from tests.support.moto.stage import SOURCE, MotoStage
from tests.support.sample_events import body, event
from tests.support.snapshots import ledger, tables

KEYS = (
    "plain",
    "with space",
    "a+b",
    "a%2Bb",
    "a%20b",
    "100%",
    "é",
    "e\u0301",  # the same letter, written in two characters: another key
    "日本/🎉",
    "date=2024-01-01/k=v",
    "2026/01/31/11/part 1+2%2B é.json",
    "what?#&;:@$,'\"[]{}|^~`<>\\",
    " space around ",
    "//slashes//",
    "tab\tand\nnewline",
    "é" * 512,  # as long as S3 takes them
)

ETAG = "b1946ac92492d2347c6235b4d2611184"


def test_any_key_leads_from_announcement_to_row(moto_stage: MotoStage) -> None:
    """Announced in both forms, each object is read and recorded once, and its rows name its key as it is."""
    sources = [moto_stage.put(key, body(event("MICROONE_EVENT", number))) for number, key in enumerate(KEYS)]
    by_eventbridge = [found for source in sources for found in announced_objects(eventbridge_announcement(source))]
    by_s3 = announced_objects(s3_announcement(*sources))
    assert by_eventbridge == sources
    assert by_s3 == sources
    outcome = moto_stage.validate(*by_eventbridge, *by_s3)
    assert outcome.failed == {}
    assert {item["pk"]: item["status"] for item in ledger("source#")} == {
        f"source#{SOURCE}/{key}": "validated" for key in KEYS
    }
    moto_stage.convert()
    written = tables()
    assert sorted(row["_source_key"] for row in written["MICROONE_EVENT"]) == sorted(KEYS)
    assert sorted(row["event_filename"] for row in written["PROFILING_LOG"]) == sorted(KEYS)


def test_form_encoding_is_undone_once_and_only_in_the_form_that_has_it() -> None:
    assert announced_objects(json.dumps(payload("s3_object_created"))) == [
        SourceObject(SOURCE, "date=2026-01-31/ef prod+stream", ETAG)
    ]
    as_it_is = payload("eventbridge_object_created")
    as_it_is["detail"]["object"]["key"] = "ef+prod%2Bstream"
    assert announced_objects(json.dumps(as_it_is)) == [SourceObject(SOURCE, "ef+prod%2Bstream", ETAG)]


def test_a_message_may_announce_several_objects_beside_removed_ones() -> None:
    sources = [
        SourceObject(SOURCE, "first", ETAG),
        SourceObject(SOURCE, "second", "591785b794601e212b260e25925636fd-11"),
    ]
    first, second = json.loads(s3_announcement(*sources))["Records"]
    records = [first, *payload("s3_object_removed")["Records"], second]
    assert announced_objects(json.dumps({"Records": records})) == sources


@pytest.mark.parametrize("name", ["s3_object_removed", "s3_test_event", "eventbridge_object_deleted"])
def test_messages_that_announce_no_new_object(name: str) -> None:
    assert announced_objects(json.dumps(payload(name))) == []


def test_quotes_are_no_part_of_an_etag() -> None:
    quoted = SourceObject(SOURCE, "a", f'"{ETAG}"')
    bare = [SourceObject(SOURCE, "a", ETAG)]
    assert announced_objects(s3_announcement(quoted)) == bare
    assert announced_objects(eventbridge_announcement(quoted)) == bare


CAME = Change(SOURCE, "a b", ETAG, "v1", sequencer="0A", gone=False, marked=False)
WENT = Change(SOURCE, "a b", "", "", sequencer="0A", gone=True, marked=False)
MARKED = Change(SOURCE, "a b", "", "", sequencer="0A", gone=True, marked=True)


@pytest.mark.parametrize(
    ("event", "kind", "detail", "change"),
    [
        ("ObjectCreated:CompleteMultipartUpload", "Object Created", {}, CAME),
        ("ObjectRemoved:Delete", "Object Deleted", {"deletion-type": "Permanently Deleted"}, WENT),
        ("LifecycleExpiration:Delete", "Object Deleted", {"deletion-type": "Permanently Deleted"}, WENT),
        ("ObjectRemoved:DeleteMarkerCreated", "Object Deleted", {"deletion-type": "Delete Marker Created"}, MARKED),
        (
            "LifecycleExpiration:DeleteMarkerCreated",
            "Object Deleted",
            {"deletion-type": "Delete Marker Created", "reason": "Lifecycle Expiration"},
            MARKED,
        ),
    ],
)
def test_both_forms_tell_the_same_of_a_change(event: str, kind: str, detail: dict[str, str], change: Change) -> None:
    told = {"eTag": ETAG, "versionId": "v1", "sequencer": "0a00", "key": "a+b"}
    record = {"eventName": event, "s3": {"bucket": {"name": SOURCE}, "object": told}}
    on_bus = {"etag": ETAG, "version-id": "v1", "sequencer": "0A", "key": "a b"}
    message = {"detail-type": kind, "detail": {"bucket": {"name": SOURCE}, "object": on_bus, **detail}}
    assert changes(json.dumps({"Records": [record]})) == changes(json.dumps(message)) == [change]


def test_what_changes_no_object_is_passed_over() -> None:
    record = {"eventName": "ObjectTagging:Put", "s3": {"bucket": {"name": SOURCE}, "object": {"key": "a"}}}
    assert changes(json.dumps({"Records": [record]})) == []


UNKNOWN: tuple[Any, ...] = (
    None,
    [],
    {},
    {"Records": None},
    {"Records": [{"eventName": "ObjectCreated:Put"}]},
    {
        "Records": [
            {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "b"}, "object": {"key": 5, "eTag": "e"}}}
        ]
    },
    {"detail-type": "Object Created", "detail": {"bucket": {"name": 5}, "object": {"key": "k", "etag": "e"}}},
    {"detail-type": "Object Created", "detail": {"bucket": {"name": "b"}, "object": {"key": "k", "etag": None}}},
    {"detail-type": "Object Created", "detail": {"bucket": {"name": "b"}, "object": {"key": "k", "etag": ""}}},
    {"detail-type": "Object Created", "detail": {"bucket": {"name": "b"}, "object": {"key": "é" * 513, "etag": "e"}}},
)


@pytest.mark.parametrize("text", ["", "{", *map(json.dumps, UNKNOWN)])
def test_a_message_in_no_known_form_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(UnknownAnnouncementError) as refusal:
        announced_objects(text)
    assert text[:200] in str(refusal.value)
