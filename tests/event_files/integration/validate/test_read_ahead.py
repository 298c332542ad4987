"""Source objects are fetched before they are asked for: small ones, a few at a time, each in its turn."""

import pytest

from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.source_objects import SourceGoneError
from sluice.event_files.validate.source_store_s3 import S3SourceStore
from tests.support.moto.stage import SOURCE, MotoStage

MIB = 1 << 20
LARGE = MIB + 1


@pytest.fixture
def got(moto_stage: MotoStage) -> list[str]:
    """Keys of the objects that are got."""
    keys: list[str] = []
    moto_stage.s3.meta.events.register(
        "provide-client-params.s3.GetObject", lambda params, **_: keys.append(params["Key"])
    )
    return keys


@pytest.fixture
def store(moto_stage: MotoStage) -> S3SourceStore:
    return S3SourceStore(moto_stage.s3)


def test_each_object_is_got_once_and_in_its_turn(moto_stage: MotoStage, store: S3SourceStore, got: list[str]) -> None:
    sources = [moto_stage.put(f"{number:02}", b"%d" % number) for number in range(50)]
    store.expect([*sources, sources[0]])
    first = store.read(sources[0], MIB).body
    assert len(got) <= 17, "no more than a few are ahead"
    others = [store.read(source, MIB).body for source in sources[1:]]
    assert [first, *others] == [b"%d" % n for n in range(50)]
    assert sorted(got) == [source.key for source in sources]


def test_skipped_objects_do_not_hold_up_the_rest(moto_stage: MotoStage, store: S3SourceStore, got: list[str]) -> None:
    sources = [moto_stage.put(f"{number:02}", b"%d" % number) for number in range(50)]
    store.expect(sources)
    assert [store.read(source, MIB).body for source in sources[20::10]] == [b"20", b"30", b"40"]
    assert len(got) == len(set(got))


def test_an_unexpected_object_is_read_too(moto_stage: MotoStage, store: S3SourceStore) -> None:
    first, other = moto_stage.put("first", b"1"), moto_stage.put("other", b"2")
    store.expect([first])
    assert store.read(other, MIB)[:2] == (1, b"2")
    assert store.read(first, MIB)[:2] == (1, b"1")


def test_a_large_object_is_read_in_its_turn_and_no_earlier(moto_stage: MotoStage, store: S3SourceStore) -> None:
    sources = [moto_stage.put("large", b"x" * LARGE), moto_stage.put("small", b"y")]
    store.expect(sources)
    assert store.read(sources[0], 2 * LARGE)[:2] == (LARGE, b"x" * LARGE)
    assert store.read(sources[1], MIB)[:2] == (1, b"y")


def test_limits_hold_for_what_was_fetched_ahead(moto_stage: MotoStage, store: S3SourceStore) -> None:
    source = moto_stage.put("some", b"xyz")
    store.expect([source])
    assert store.read(source, 2)[:2] == (3, None)


def test_an_object_that_went_is_known_in_its_turn(moto_stage: MotoStage, store: S3SourceStore) -> None:
    gone, there = SourceObject(SOURCE, "gone", "0" * 32), moto_stage.put("there", b"x")
    store.expect([gone, there])
    with pytest.raises(SourceGoneError):
        store.read(gone, MIB)
    assert store.read(there, MIB)[:2] == (1, b"x")


def test_objects_that_an_earlier_call_expected_are_forgotten(moto_stage: MotoStage, store: S3SourceStore) -> None:
    source = moto_stage.put("key", b"old")
    store.expect([source])
    newer = moto_stage.put("key", b"new")
    store.expect([newer])
    assert store.read(newer, MIB)[:2] == (3, b"new")
