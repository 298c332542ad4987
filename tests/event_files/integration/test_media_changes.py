"""Changes of media are told late, again, in any order and to several functions at a time; the index ends as S3 is."""

import json
import random
import time
from collections.abc import Callable
from itertools import permutations
from typing import Any
from urllib.parse import quote_plus

import pytest

from sluice.event_files import media_dynamodb
from sluice.event_files.media_dynamodb import DynamoMediaIndex
from tests.support.lambda_handlers import ENVIRONMENT, Handler, load_handler
from tests.support.moto.aws_calls import Interruption, interleave, parameters_of
from tests.support.moto.backend import clear_table, items_of
from tests.support.moto.stage import MEDIA, MEDIA_INDEX, MotoStage

KEY = "a b/MYLIB/x+y.png"
FORMS = ("EventBridge", "S3")

Message = dict[str, Any]


@pytest.fixture
def index_media(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> Handler:
    assert moto_stage
    return load_handler("index_media", monkeypatch)


class Medium:
    """The object of one key; tells its changes as S3 does."""

    def __init__(self, moto_stage: MotoStage, chance: random.Random, *, versioned: bool) -> None:
        self._s3, self._chance, self._versioned = moto_stage.s3, chance, versioned
        self._changes = 0
        if versioned:
            self._s3.put_bucket_versioning(Bucket=MEDIA, VersioningConfiguration={"Status": "Enabled"})

    @property
    def exists(self) -> bool:
        return "Contents" in self._s3.list_objects_v2(Bucket=MEDIA, Prefix=KEY)

    def change(self) -> Message:
        versions = self.versions()
        ways = (
            [self.put] if not versions else [self.put, self.delete, lambda: self.purge(self._chance.choice(versions))]
        )
        return self._chance.choice(ways if self._versioned else ways[:2])()

    def versions(self) -> list[str]:
        """Return its versions, delete markers among them, the current one first."""
        found = self._s3.list_object_versions(Bucket=MEDIA, Prefix=KEY)
        every = [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]
        return [each["VersionId"] for each in sorted(every, key=lambda each: each["IsLatest"], reverse=True)]

    def put(self) -> Message:
        version = self._s3.put_object(Bucket=MEDIA, Key=KEY, Body=b"x").get("VersionId")
        return self._told("Object Created", "ObjectCreated:Put", version)

    def delete(self) -> Message:
        """Delete it by its name: in a bucket with versions, a delete marker is put."""
        version = self._s3.delete_object(Bucket=MEDIA, Key=KEY).get("VersionId")
        if not self._versioned:
            return self._told("Permanently Deleted", "ObjectRemoved:Delete", None)
        return self._told("Delete Marker Created", "ObjectRemoved:DeleteMarkerCreated", version)

    def purge(self, version: str) -> Message:
        """Delete one version for good; where a lifecycle rule does, S3 need not say which."""
        self._s3.delete_object(Bucket=MEDIA, Key=KEY, VersionId=version)
        by_rule = self._chance.random() < 0.5
        name = "LifecycleExpiration:Delete" if by_rule else "ObjectRemoved:Delete"
        return self._told("Permanently Deleted", name, None if by_rule else version)

    def _told(self, kind: str, event: str, version: str | None) -> Message:
        sequencer = self._sequencer()
        if self._chance.choice(FORMS) == "S3":
            told = {"key": quote_plus(KEY, safe="/"), "eTag": "e", "versionId": version, "sequencer": sequencer}
            return {"Records": [{"eventName": event, "s3": {"bucket": {"name": MEDIA}, "object": told}}]}
        detail = {
            "bucket": {"name": MEDIA},
            "object": {"key": KEY, "etag": "e", "version-id": version, "sequencer": sequencer},
        }
        if kind == "Object Created":
            return {"detail-type": kind, "detail": detail}
        return {"detail-type": "Object Deleted", "detail": {**detail, "deletion-type": kind}}

    def _sequencer(self) -> str:
        """Return a greater one than before: hexadecimal, of any length, shorter ones with zeros added on the right."""
        self._changes += 1
        text = f"{self._changes:03x}".rstrip("0") + "0" * self._chance.randrange(4)
        return self._chance.choice((text, text.upper()))


@pytest.mark.parametrize("versioned", [True, False], ids=["versioned", "unversioned"])
def test_the_index_ends_as_the_bucket_is(moto_stage: MotoStage, index_media: Handler, *, versioned: bool) -> None:
    for seed in range(10):
        chance = random.Random(seed)
        medium = Medium(moto_stage, chance, versioned=versioned)
        clear_table(MEDIA_INDEX)
        told: list[Message] = []
        late: list[Message] = []
        for _ in range(chance.randrange(1, 20)):
            told.append(medium.change())
            late.append(told[-1])
            if chance.random() < 0.4:
                chance.shuffle(late)
                index_media(_batch(*late[: len(late) // 2]))
                late = late[len(late) // 2 :]
        again = [*late, *chance.sample(told, len(told) // 3)]
        chance.shuffle(again)
        for message in again:
            index_media(_batch(message))
        assert _finds(moto_stage) == medium.exists, f"seed {seed}"
        kept = items_of(MEDIA_INDEX)
        assert {item["sk"] for item in kept} == {"x+y.png\na b", "MYLIB/x+y.png\n"}
        assert all(("key" in item) == medium.exists != ("expires_at" in item) for item in kept), "only marks expire"


def test_of_a_batch_the_last_change_of_an_object_holds_wherever_it_stands(
    moto_stage: MotoStage, index_media: Handler
) -> None:
    medium = Medium(moto_stage, random.Random(1), versioned=True)
    came, went = medium.put(), medium.delete()
    with moto_stage.calls.record() as operations:
        index_media(_batch(went, came))
    assert not _finds(moto_stage)
    assert operations == ["UpdateItem"] * 2, "a delete marker says by itself that it went"
    day = 86_400  # a message waits 14 of them, and after a redrive as long again
    assert all(item["expires_at"] > time.time() + 28 * day for item in items_of(MEDIA_INDEX))


def test_functions_at_the_same_time(moto_stage: MotoStage, index_media: Handler) -> None:
    """Whoever writes first, and at every place of the index: the change that came later holds."""
    for number, order in enumerate(sorted(set(permutations(("came", "came", "went", "went"))))):
        medium = Medium(moto_stage, random.Random(number), versioned=True)
        came, went = medium.put(), medium.delete()
        tell: dict[str, Callable[[], Any]] = {
            "came": lambda came=came: index_media(_batch(came)),  # type: ignore[misc]
            "went": lambda went=went: index_media(_batch(went)),  # type: ignore[misc]
        }
        interleave(moto_stage.calls, order, **tell)
        assert not _finds(moto_stage), f"{order}"


def test_an_object_that_goes_while_s3_is_asked_about_an_old_version(
    moto_stage: MotoStage, index_media: Handler
) -> None:
    medium = Medium(moto_stage, random.Random(1), versioned=True)
    first, second = medium.put(), medium.put()
    purged = medium.purge(medium.versions()[1])
    index_media(_batch(first, second))
    with moto_stage.calls.record() as operations, parameters_of(moto_stage.s3) as asked:
        index_media(_batch(purged))
    assert operations == ["ListObjectsV2", "UpdateItem", "UpdateItem"]
    assert asked[0][1]["ExpectedBucketOwner"] == ENVIRONMENT["MEDIA_OWNER"], "its name may be another's by now"
    assert _finds(moto_stage)
    goes = Interruption(2, lambda: index_media(_batch(medium.delete())))
    with moto_stage.calls.intercept(goes):
        index_media(_batch(purged))
    assert not _finds(moto_stage)


def test_a_list_finds_what_was_never_told_and_revives_nothing(moto_stage: MotoStage) -> None:
    """Messages can be lost, by a wrong setting; what went a moment ago may still be in the list."""
    media = DynamoMediaIndex(moto_stage.dynamodb, MEDIA_INDEX, MEDIA, clock=lambda: 0.0)
    media.note(KEY, "B", is_there=False)
    media.add(KEY, listed_at=14 * 60)
    assert not _finds(moto_stage), "clocks may be that far apart"
    media.add(KEY, listed_at=16 * 60)
    assert _finds(moto_stage), "it came back after it was noted that it went"
    media.note(KEY, "A", is_there=False)
    assert _finds(moto_stage), "the list knows better than an old change"
    media.note(KEY, "C", is_there=False)
    assert not _finds(moto_stage)


def test_marks_hide_nothing(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_dynamodb, "_CANDIDATES", 2)
    for number in range(5):
        moto_stage.media.note(f"{number}/MYLIB/x+y.png", "A", is_there=False)
    moto_stage.media.note("z/MYLIB/x+y.png", "A", is_there=True)
    assert _finds(moto_stage)


def _finds(moto_stage: MotoStage) -> bool:
    """Return whether the medium is found, by a function that remembers nothing."""
    return moto_stage.find_medium("MYLIB", "x+y") is not None


def _batch(*messages: Message) -> dict[str, Any]:
    return {"Records": [{"messageId": str(n), "body": json.dumps(message)} for n, message in enumerate(messages)]}
