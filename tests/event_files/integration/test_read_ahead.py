"""Source objects are fetched before they are asked for: small ones, a few at a time, each in its turn."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.source_objects import SourceGoneError
from sluice.event_files.validate.source_store_s3 import S3SourceStore

MIB = 1 << 20
LARGE = MIB + 1


class Client:
    """Notes which objects are got."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.s3.create_bucket(Bucket="source")
        self.got: list[str] = []

    def get_object(self, **request: Any) -> Any:
        self.got.append(request["Key"])
        return self.s3.get_object(**request)

    def put(self, key: str, body: bytes) -> SourceObject:
        return SourceObject("source", key, self.s3.put_object(Bucket="source", Key=key, Body=body)["ETag"].strip('"'))


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        yield Client()


def test_each_object_is_got_once_and_in_its_turn(client: Any) -> None:
    sources = [client.put(f"{number:02}", b"%d" % number) for number in range(50)]
    store = S3SourceStore(client)
    store.expect([*sources, sources[0]])
    first = store.read(sources[0], MIB)
    assert len(client.got) <= 17, "no more than a few are ahead"
    others = [store.read(source, MIB) for source in sources[1:]]
    assert [first, *others] == [(len(str(n)), b"%d" % n) for n in range(50)]
    assert sorted(client.got) == [source.key for source in sources]


def test_skipped_objects_do_not_hold_up_the_rest(client: Any) -> None:
    sources = [client.put(f"{number:02}", b"%d" % number) for number in range(50)]
    store = S3SourceStore(client)
    store.expect(sources)
    assert [store.read(source, MIB)[1] for source in sources[20::10]] == [b"20", b"30", b"40"]
    assert len(client.got) == len(set(client.got))


def test_an_unexpected_object_is_read_too(client: Any) -> None:
    first, other = client.put("first", b"1"), client.put("other", b"2")
    store = S3SourceStore(client)
    store.expect([first])
    assert store.read(other, MIB) == (1, b"2")
    assert store.read(first, MIB) == (1, b"1")


def test_a_large_object_is_read_in_its_turn_and_no_earlier(client: Any) -> None:
    sources = [client.put("large", b"x" * LARGE), client.put("small", b"y")]
    store = S3SourceStore(client)
    store.expect(sources)
    assert store.read(sources[0], 2 * LARGE) == (LARGE, b"x" * LARGE)
    assert store.read(sources[1], MIB) == (1, b"y")


def test_limits_hold_for_what_was_fetched_ahead(client: Any) -> None:
    source = client.put("some", b"xyz")
    store = S3SourceStore(client)
    store.expect([source])
    assert store.read(source, 2) == (3, None)


def test_an_object_that_went_is_known_in_its_turn(client: Any) -> None:
    gone, there = SourceObject("source", "gone", "0" * 32), client.put("there", b"x")
    store = S3SourceStore(client)
    store.expect([gone, there])
    with pytest.raises(SourceGoneError):
        store.read(gone, MIB)
    assert store.read(there, MIB) == (1, b"x")


def test_objects_that_an_earlier_call_expected_are_forgotten(client: Any) -> None:
    store, source = S3SourceStore(client), client.put("key", b"old")
    store.expect([source])
    newer = client.put("key", b"new")
    store.expect([newer])
    assert store.read(newer, MIB) == (3, b"new")
