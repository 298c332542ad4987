"""The object store on S3: conditional writes, pages, and errors that say what to do."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from sluice.lake.object_store import ObjectStoreError, StoredObject
from sluice.lake.object_store_s3 import S3ObjectStore
from tests.support.moto.aws_calls import Call
from tests.support.moto.stage import LAKE, MotoStage


@pytest.fixture
def store(moto_stage: MotoStage) -> S3ObjectStore:
    return S3ObjectStore(moto_stage.s3, LAKE)


def test_an_object_that_is_not_there(store: S3ObjectStore) -> None:
    assert store.find("x") is None
    assert store.find_all(["x"], 9) == [None]
    assert list(store.list("x")) == list(store.list_all(["x", "y"])) == list(store.list_all([])) == []


def test_an_object_is_replaced_only_as_it_was_read(store: S3ObjectStore) -> None:
    assert store.replace("x", b"1", None)
    assert not store.replace("x", b"2", None)
    first = store.find("x")
    assert first
    assert store.replace("x", b"2", first.etag)
    assert not store.replace("x", b"3", first.etag)
    second = store.find("x")
    assert second == StoredObject(b"2", second.etag if second else "")
    assert not store.replace("gone", b"3", first.etag)


def test_an_object_is_created_once(store: S3ObjectStore) -> None:
    etag = store.create("x", b"1")
    with pytest.raises(ObjectStoreError, match=r"s3:PutObject failed \(PreconditionFailed\); it is safe to run this"):
        store.create("x", b"2")
    assert store.find("x") == StoredObject(b"1", f'"{etag}"')


def test_many_objects_at_once(moto_stage: MotoStage, store: S3ObjectStore) -> None:
    keys = [f"x/{number:02}" for number in range(40)]
    for number, key in enumerate(keys):
        moto_stage.lake.write(key, b"x" * number)
    found = store.find_all([*keys, "y"], 20)
    assert found == [b"x" * number if number <= 20 else None for number in range(40)] + [None]
    assert [(found.key, found.size) for found in store.list_all(["x/1", "x/3"])] == [
        (f"x/{number}", number) for number in (*range(10, 20), *range(30, 40))
    ]


def test_pages_are_read_on_demand(moto_stage: MotoStage, store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    for number in range(7):
        moto_stage.lake.write(f"x/{number}", b"")
    with moto_stage.calls.record() as operations:
        assert next(store.list("x/")).key == "x/0"
        assert operations == ["ListObjectsV2"]
        assert len(list(store.list("x/"))) == 7
    assert operations == ["ListObjectsV2"] * 4


def test_a_page_has_the_content_type_of_html(moto_stage: MotoStage, store: S3ObjectStore) -> None:
    store.write("report.html", b"<html>")
    assert moto_stage.s3.head_object(Bucket=LAKE, Key="report.html")["ContentType"] == "text/html; charset=utf-8"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ClientError({"Error": {"Code": "AccessDenied"}}, "X"), r"\(AccessDenied\); allow this role s3:"),
        (ClientError({"Error": {"Code": "SlowDown"}}, "X"), r"\(SlowDown\); it is safe to run this again"),
        (ReadTimeoutError(endpoint_url="s3"), "timeout.*; it is safe to run this again"),
    ],
)
def test_errors_name_place_and_cure(moto_stage: MotoStage, store: S3ObjectStore, error: Exception, said: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: list(store.list("x")),
        lambda: list(store.list_all(["x"])),
        lambda: store.find_all(["x"], 9),
        lambda: store.find("x"),
        lambda: store.write("x", b""),
        lambda: store.replace("x", b"", None),
        lambda: store.replace("x", b"", "etag"),
    ]

    def fail(_operation: str, _call: Call) -> Any:
        raise error

    for call in calls:
        with (
            moto_stage.calls.intercept(fail),
            pytest.raises(ObjectStoreError, match=rf"s3://{LAKE}/x: s3:\w+ .*{said}"),
        ):
            call()


def test_a_write_that_meets_another_at_the_same_moment(moto_stage: MotoStage, store: S3ObjectStore) -> None:
    def conflict(_operation: str, _call: Call) -> Any:
        raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")

    with moto_stage.calls.intercept(conflict):
        assert not store.replace("x", b"", None)


def test_objects_that_are_not_deleted_are_named(
    moto_stage: MotoStage, store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    errors = [{"Key": "a", "Code": "AccessDenied", "Message": "Access Denied"}]
    monkeypatch.setattr(moto_stage.s3, "delete_objects", lambda **_: {"Errors": errors})
    with pytest.raises(ObjectStoreError, match=r"/a: s3:DeleteObject failed \(Access Denied\)"):
        store.delete(["a"])


def test_many_objects_are_deleted_in_requests_of_1000(moto_stage: MotoStage, store: S3ObjectStore) -> None:
    with moto_stage.calls.record() as operations:
        store.delete([str(number) for number in range(1001)])
        store.delete([])
    assert operations == ["DeleteObjects"] * 2
