"""Histories on S3: conditional writes keep two writers from undoing each other."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from sluice.lake.object_store import ObjectStoreError, StoredObject
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.vendor_exports.completeness.initialise import merge_parts, observe_part, write_plan
from sluice.vendor_exports.completeness.keys import state_key
from sluice.vendor_exports.completeness.publish import Publishing, output_keys
from sluice.vendor_exports.completeness.update import Updating
from sluice.vendor_exports.delivery.slots import Environment, Slot
from tests.support.storage import objects_of
from tests.support.tap import READS, AwsTroubleError, Call, KilledError, troubles
from tests.support.world import LAKE, World
from tests.vendor_exports.unit.completeness.deliveries import FIRST, job, report, schema, settled, slots

TEST = Environment.TEST
LAST = FIRST.after(3)
LATE = FIRST.folder(TEST) + "A_late.json"


@pytest.fixture
def store(world: World) -> S3ObjectStore:
    return S3ObjectStore(world.s3, LAKE)


@pytest.fixture
def delivered(world: World) -> None:
    deliver(world)


def deliver(world: World) -> None:
    for slot in (FIRST, LAST):
        for name, body in job(["A", "B"], schema("A", "B", "C"), size=10).items():
            world.lake.write(slot.folder(TEST) + name, body)


def updating(store: Any, max_slots: int = 100) -> Updating:
    return Updating(store, store, Publishing(store, report, ["Ignored"]), max_slots)


def outputs() -> dict[str, bytes]:
    objects = objects_of(LAKE)
    return {key: objects[key] for key in output_keys(TEST)}


def forget_histories(world: World) -> None:
    world.lake.delete([state_key(TEST), *output_keys(TEST)])


class TestStore:
    """The adapter by itself."""

    def test_what_is_not_there(self, store: S3ObjectStore) -> None:
        assert store.find("x") is None
        assert store.find_all(["x"], 9) == [None]
        assert list(store.list("x")) == list(store.list_all(["x", "y"])) == list(store.list_all([])) == []

    def test_an_object_is_replaced_only_as_it_was_read(self, store: S3ObjectStore) -> None:
        assert store.replace("x", b"1", None)
        assert not store.replace("x", b"2", None)
        first = store.find("x")
        assert first
        assert store.replace("x", b"2", first.etag)
        assert not store.replace("x", b"3", first.etag)
        second = store.find("x")
        assert second == StoredObject(b"2", second.etag if second else "")
        assert not store.replace("gone", b"3", first.etag)

    def test_many_objects_at_once(self, world: World, store: S3ObjectStore) -> None:
        keys = [f"x/{number:02}" for number in range(40)]
        for number, key in enumerate(keys):
            world.lake.write(key, b"x" * number)
        found = store.find_all([*keys, "y"], 20)
        assert found == [b"x" * number if number <= 20 else None for number in range(40)] + [None]
        assert [(found.key, found.size) for found in store.list_all(["x/1", "x/3"])] == [
            (f"x/{number}", number) for number in (*range(10, 20), *range(30, 40))
        ]

    def test_a_walk_reads_no_page_that_nobody_asks_for(
        self, world: World, store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
        for number in range(7):
            world.lake.write(f"x/{number}", b"")
        with world.tap.listen() as operations:
            assert next(store.list("x/")).key == "x/0"
            assert operations == ["ListObjectsV2"]
            assert len(list(store.list("x/"))) == 7
        assert operations == ["ListObjectsV2"] * 4

    def test_browsers_show_the_report(self, world: World, store: S3ObjectStore) -> None:
        store.write("report.html", b"<html>")
        assert world.s3.head_object(Bucket=LAKE, Key="report.html")["ContentType"] == "text/html; charset=utf-8"

    @pytest.mark.parametrize(
        ("error", "said"),
        [
            (ClientError({"Error": {"Code": "AccessDenied"}}, "X"), r"\(AccessDenied\); allow this role s3:"),
            (ClientError({"Error": {"Code": "SlowDown"}}, "X"), r"\(SlowDown\); it is safe to run this again"),
            (ReadTimeoutError(endpoint_url="s3"), "timeout.*; it is safe to run this again"),
        ],
    )
    def test_errors_say_where_and_what_to_do(
        self, world: World, store: S3ObjectStore, error: Exception, said: str
    ) -> None:
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
            with world.tap.around(fail), pytest.raises(ObjectStoreError, match=rf"s3://{LAKE}/x: s3:\w+ .*{said}"):
                call()

    def test_a_write_that_meets_another_at_the_same_moment(self, world: World, store: S3ObjectStore) -> None:
        def conflict(_operation: str, _call: Call) -> Any:
            raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")

        with world.tap.around(conflict):
            assert not store.replace("x", b"", None)


@pytest.mark.usefixtures("delivered")
def test_update_and_initialisation_agree(world: World, store: S3ObjectStore) -> None:
    updating(store).update(TEST, settled(LAST))
    updated = outputs()
    assert len(updated[output_keys(TEST)[0]].splitlines()) == 1 + len(slots(4))
    forget_histories(world)
    for part in write_plan(store, "run", TEST, FIRST, LAST, settled(LAST)):
        observe_part(store, store, part, settled(LAST))
    assert merge_parts(store, Publishing(store, report, ["Ignored"]), "run") == 4
    assert outputs() == updated


@pytest.mark.usefixtures("delivered")
def test_hour_by_hour_is_as_all_at_once(world: World, store: S3ObjectStore) -> None:
    for slot in slots(4):
        updating(store).update(TEST, settled(slot))
    by_hour = outputs()
    forget_histories(world)
    while updating(store, 1).update(TEST, settled(LAST)).waiting:
        continue
    assert outputs() == by_hour


class Interrupted:
    """A store before whose calls something else happens, once before each of the given ones."""

    def __init__(self, store: S3ObjectStore, happens: dict[int, Callable[[], object]]) -> None:
        self._store = store
        self._happens = happens
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        self.calls += 1
        self._happens.get(self.calls, lambda: None)()
        return getattr(self._store, name)


def test_two_writers_end_in_the_same_files(world: World, store: S3ObjectStore) -> None:
    """One has seen a file that comes and goes; the other, before any call of the first, has seen more hours.

    What the other has written stays, though nobody comes afterwards to mend it.
    """
    deliver(world)
    updating(store).update(TEST, settled(LAST))
    wanted = outputs()
    for moments in [*((at,) for at in range(1, 22)), (3, 9, 13), (12, 20, 21)]:
        forget_histories(world)
        updating(store).update(TEST, settled(FIRST.after()))
        world.lake.write(LATE, b"late")
        other = Other(world, store)
        first = Interrupted(store, dict.fromkeys(moments, other.update))
        updating(first).update(TEST, settled(FIRST.after(2)), [FIRST])
        assert first.calls >= moments[-1]
        assert outputs() == wanted, f"another update before calls {moments}"


class Other:
    """The second writer: each of its updates is later than the one before."""

    def __init__(self, world: World, store: S3ObjectStore) -> None:
        self._world, self._store = world, store
        self._now = settled(LAST)

    def update(self) -> None:
        self._world.lake.delete([LATE])
        self._now += timedelta(minutes=1)
        updating(self._store).update(TEST, self._now, slots(4))


def test_a_crash_at_any_call(world: World, store: S3ObjectStore) -> None:
    """Then the update is tried again, as the machine does."""
    deliver(world)
    with world.tap.listen() as operations:
        updating(store).update(TEST, settled(LAST))
    wanted = outputs()
    for trouble in troubles([each for each in operations if each not in READS]):
        forget_histories(world)
        with world.tap.around(writes_only(trouble)), suppress(AwsTroubleError, KilledError):
            updating(store).update(TEST, settled(LAST))
        updating(store).update(TEST, settled(LAST) + timedelta(minutes=1))
        assert outputs() == wanted, str(trouble)


def writes_only(trouble: Any) -> Callable[[str, Call], Any]:
    """Reads change nothing, and come from many threads."""
    return lambda operation, call: call() if operation in READS else trouble(operation, call)


def test_the_other_flow_is_left_alone(world: World, store: S3ObjectStore) -> None:
    deliver(world)
    before = set(objects_of(LAKE))
    updating(store).update(Environment.PROD, settled(LAST))
    assert set(objects_of(LAKE)) == before
    updating(store).update(TEST, settled(LAST))
    assert not [key for key in objects_of(LAKE) if key.startswith(Environment.PROD.root) or "/Prod/" in key]


def test_a_history_begins_at_the_first_folder(world: World, store: S3ObjectStore) -> None:
    early = Slot(FIRST.hour - timedelta(hours=2))
    world.lake.write(early.folder(TEST) + "A_1", b"1")
    deliver(world)
    assert updating(store).update(TEST, settled(FIRST)).observed == (early, early.after(), FIRST)
