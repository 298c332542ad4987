"""The media index: the first object whose key contains ``<medialib>/<media_id>``, and its way into the tables."""

import itertools
import json
import random
from typing import Any

import pytest

from sluice.event_files.media import KnownMedia, NotLookedUpError
from sluice.event_files.metrics import MEDIA_MISSING
from tests.support.lambda_handlers import Handler, load_handler, payload
from tests.support.moto.stage import MEDIA, MotoStage
from tests.support.sample_events import body, event, illustration
from tests.support.snapshots import tables

KEYS = [
    "MYLIB/1f2e.png",
    "a/MYLIB/1f2e.png",
    "a/b/c/MYLIB/deep.jpg",
    "a/MYLIB/folder/inside.png",
    "EXTERNALLIB/1f2e.png",
    "z/MYLIB/early-in-the-folder",
    "b/MYLIB/early-in-the-folder.but.late",
    "date=2024/MYLIB/a b+c%2Bé.png",
    "MYLIB/MYLIB/twice.png",
    "MYLIBRARY/other.png",
    "elsewhere/other.png",
    "MYLIB/",
    "//MYLIB//odd.png",
    "MYLIB/new\nline.png",
]


FOUND = {
    ("MYLIB", "1f2e.png"): "MYLIB/1f2e.png",
    ("MYLIB", "1f2e"): "MYLIB/1f2e.png",
    ("MYLIB", "1"): "MYLIB/1f2e.png",
    ("EXTERNALLIB", "1f2e"): "EXTERNALLIB/1f2e.png",
    ("MYLIB", "deep"): "a/b/c/MYLIB/deep.jpg",
    ("MYLIB", "folder/inside"): "a/MYLIB/folder/inside.png",
    ("MYLIB", "fold"): "a/MYLIB/folder/inside.png",
    ("MYLIB", "early-in-the-folder"): "b/MYLIB/early-in-the-folder.but.late",
    ("MYLIB", "a b+c%2Bé"): "date=2024/MYLIB/a b+c%2Bé.png",
    ("MYLIB", "twice"): "MYLIB/MYLIB/twice.png",
    ("MYLIB", "MYLIB/twice"): "MYLIB/MYLIB/twice.png",
    ("MYLIB", "/odd"): "//MYLIB//odd.png",
    ("MYLIB", "new\nline"): "MYLIB/new\nline.png",
}
NOT_FOUND = [
    ("MYLIB", "f2e"),
    ("MYLIB", "1F2E"),
    ("MYLIB", "other"),
    ("mylib", "1f2e"),
    ("LIB", "1f2e"),  # the library is a whole folder's name
    ("MYLIB", "1f2e.png\n"),
    ("MYLIB", ""),
    ("", "1f2e"),
    ("MYLIB", "x" * 1_019),  # no key, and no key of the index, is as long as that
    ("é" * 1_025, "1f2e"),
]


@pytest.fixture
def index_media(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Handler:
    assert moto_stage
    return load_handler("index_media", monkeypatch)


def test_find(moto_stage: MotoStage) -> None:
    _add(moto_stage, *KEYS)
    for (medialib, media_id), key in FOUND.items():
        assert moto_stage.find_medium(medialib, media_id) == f"s3://{MEDIA}/{key}"
        assert key == min(each for each in KEYS if f"/{medialib}/{media_id}" in f"/{each}"), "the list is wrong itself"
    assert [wanted for wanted in NOT_FOUND if moto_stage.find_medium(*wanted)] == []


def test_a_removed_medium_is_not_found_and_the_next_one_is(moto_stage: MotoStage) -> None:
    _add(moto_stage, *KEYS)
    moto_stage.media.note("MYLIB/1f2e.png", "B", is_there=False)
    assert moto_stage.find_medium("MYLIB", "1f2e") == f"s3://{MEDIA}/a/MYLIB/1f2e.png"


def test_the_longest_keys_are_indexed(moto_stage: MotoStage) -> None:
    """S3 allows 1024 bytes, and so does DynamoDB for a sort key."""
    key = f"MYLIB/{'é' * 500}/{'x' * 10}.png"
    _add(moto_stage, key, f"{'y' * 1017}/M/1")
    assert moto_stage.find_medium("MYLIB", "é" * 500) == f"s3://{MEDIA}/{key}"
    assert moto_stage.find_medium("M", "1") == f"s3://{MEDIA}/{'y' * 1017}/M/1"


def test_media_of_a_file_are_looked_up_together_and_once_an_invocation(moto_stage: MotoStage) -> None:
    """Those that are not there are looked for again in the next invocation: they may have come."""
    _add(moto_stage, *(f"MYLIB/{number}.png" for number in range(100)))
    known = KnownMedia(moto_stage.media.find)
    wanted = [("MYLIB", f"{number}.") for number in range(200)]
    with moto_stage.calls.record() as operations:
        known.look_up(wanted)
    assert len(operations) < 30
    assert {medium: known.find(*medium) for medium in wanted} == {
        (library, name): f"s3://{MEDIA}/{library}/{name}png" if int(name[:-1]) < 100 else None
        for library, name in wanted
    }
    known.forget_missing()
    assert known.find("MYLIB", "98.")
    with pytest.raises(NotLookedUpError):
        known.find("MYLIB", "101.")


def test_media_are_found_together_whatever_lies_between_them(moto_stage: MotoStage) -> None:
    """Objects that no one asks for, ids that begin others, marks of objects that went, other libraries."""
    chance = random.Random(1)
    ways = itertools.product(("", "a/", "b/b/"), "MN", "xyz", range(40), ("", ".png", "/deep.png"))
    keys = {f"{before}{library}/{a}{b}{after}" for before, library, a, b, after in chance.sample([*ways], 200)}
    keys |= {f"M/many{number:03}" for number in range(150)}
    gone = {key for key in keys if chance.random() < 0.2} | {f"M/many{number:03}" for number in range(130)}
    for key in keys:
        moto_stage.media.note(key, "A", is_there=key not in gone)
    wanted = [(library, f"{letter}{number}") for library in "MNO" for letter in "wxyz" for number in range(45)]
    wanted += [("M", "many"), ("M", "many14"), ("M", "x"), ("N", "y1.png"), ("M", "z3/deep"), ("M", "many149")]
    expected = {}
    for medium in wanted:
        if of_it := [key for key in keys - gone if f"/{'/'.join(medium)}" in f"/{key}"]:
            expected[medium] = f"s3://{MEDIA}/{min(of_it)}"
    assert len(expected) > 60
    assert moto_stage.media.find(wanted) == expected


def test_from_an_upload_to_the_media_bucket_to_the_row_of_an_event(moto_stage: MotoStage, index_media: Handler) -> None:
    for kind, key in (
        ("created", "images/MYLIB/42/a b+c.png"),
        ("created", "images/MYLIB/43.png"),
        ("created", "video/SHAPELIB/x.mp4"),
        ("deleted", "images/MYLIB/43.png"),
    ):
        assert index_media(_batch(_media_event(kind, key))) == {"batchItemFailures": []}
    source = moto_stage.put(
        "x/a",
        body(
            illustration(1, media_id=42, media_type="IMAGE", medialib="MYLIB"),
            illustration(3, media_id=43, media_type="IMAGE", medialib="MYLIB"),
            illustration(4, type_="ADD_TAG", media_id=42, media_type="IMAGE", medialib="MYLIB", caption="kept"),
            event("SIM_EVENT", 7, type="SELECT_IMAGE", payload={"media_id": "x", "medialib": "SHAPELIB"}),
        ),
    )
    outcome = moto_stage.validate(source)
    assert outcome.totals()[MEDIA_MISSING] == 1
    assert moto_stage.record(source)["media_missing"] == 1
    assert moto_stage.record(source)["clean"] == {"MICROTHREE_EVENT": 3, "SIM_EVENT": 1}
    moto_stage.convert()
    uri = f"s3://{MEDIA}/images/MYLIB/42/a b+c.png"
    rows = sorted(tables()["MICROTHREE_EVENT"], key=lambda row: row["_source_offset"])
    assert [(row["payload_media_id"], row["payload_media_type"], row["payload_medialib"]) for row in rows] == [
        (uri, "IMAGE", "MYLIB"),
        ("43", "IMAGE", "MYLIB"),
        (None, None, None),
    ]
    assert rows[2]["payload_caption"] == "kept"
    assert [row["payload_media_id"] for row in tables()["SIM_EVENT"]] == [f"s3://{MEDIA}/video/SHAPELIB/x.mp4"]


def test_a_message_that_names_no_object_fails_alone(moto_stage: MotoStage, index_media: Handler) -> None:
    batch = _batch({"detail": None}, _media_event("created", "MYLIB/good.png"), "not an event")
    assert index_media(batch) == {"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "2"}]}
    assert moto_stage.find_medium("MYLIB", "good") == f"s3://{MEDIA}/MYLIB/good.png"


def _add(moto_stage: MotoStage, *keys: str) -> None:
    for key in keys:
        moto_stage.media.note(key, "A", is_there=True)


def _media_event(kind: str, key: str) -> dict[str, Any]:
    message = payload(f"eventbridge_object_{kind}")
    message["detail"]["bucket"]["name"] = MEDIA
    message["detail"]["object"] |= {"key": key}
    return message


def _batch(*messages: Any) -> dict[str, Any]:
    return {"Records": [{"messageId": str(n), "body": json.dumps(message)} for n, message in enumerate(messages)]}
