"""One bad file among good ones: whatever it does to the function, the others are validated."""

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from tests.support.moto.aws_calls import KilledError
from tests.support.moto.stage import MotoStage
from tests.support.new_files_queue import NewFilesQueue
from tests.support.sample_events import body, event
from tests.support.snapshots import assert_books_balance

GOOD = body(event("MICROONE_EVENT", 1))
SECONDS = 60  # of a processor; it takes 5
MANY = 45_000


@contextmanager
def deadly(moto_stage: MotoStage, keys: Collection[str]) -> Iterator[None]:
    """Let the function die, of its memory for example, when it comes to one of these files."""

    def die(params: dict[str, Any], **_: object) -> None:
        if params["Key"] in keys:
            raise KilledError

    events, name = moto_stage.s3.meta.events, "provide-client-params.s3.GetObject"
    events.register(name, die)
    try:
        yield
    finally:
        events.unregister(name, die)


@pytest.mark.filterwarnings("ignore:No application metrics")
@pytest.mark.parametrize("deadly_files", [1, 7])
def test_files_that_kill_the_function_are_alone_among_the_dead_letters(
    moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch, deadly_files: int
) -> None:
    queue = NewFilesQueue()
    bad = [moto_stage.put(f"m/{number}", GOOD) for number in range(deadly_files)]
    good = [moto_stage.put(f"{folder}/{number}", GOOD) for folder in ("a", "z") for number in range(10)]
    queue.announce(*good[:7], *bad, *good[7:])
    with deadly(moto_stage, [source.key for source in bad]):
        while queue.deliver(queue.start(monkeypatch)):
            pass
    assert queue.dead_letters() == [source.key for source in bad]
    assert {moto_stage.record(source)["status"] for source in good} == {"validated"}
    for source in bad:
        assert moto_stage.record(source)["status"] == "begun"
        assert "out of memory" in moto_stage.record(source)["message"]
    queue.announce(*bad)
    assert queue.deliver(queue.start(monkeypatch)) == [1] * deadly_files, "redriven, once it is mended"
    assert {moto_stage.record(source)["status"] for source in bad} == {"validated"}
    assert_books_balance()


@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_file_that_comes_again_outlives_new_ones_that_kill_the_function(
    moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = NewFilesQueue()
    good = [moto_stage.put(f"m/{number}", GOOD) for number in range(5)]
    bad = [moto_stage.put(f"{folder}/{number}", GOOD) for folder in ("a", "z") for number in range(8)]
    queue.announce(*good)
    with deadly(moto_stage, [source.key for source in bad]):
        for new in bad:
            queue.announce(new)
            queue.deliver(queue.start(monkeypatch))
        while queue.deliver(queue.start(monkeypatch)):
            pass
    assert queue.dead_letters() == sorted(source.key for source in bad)
    assert {moto_stage.record(source)["status"] for source in good} == {"validated"}
    assert_books_balance()


def test_what_fails_is_alone_among_the_dead_letters_with_its_reason(
    moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue, (bad, good) = NewFilesQueue(), (moto_stage.put(key, GOOD) for key in "ab")
    queue.announce(bad, good)

    def fail(params: dict[str, Any], **_: object) -> None:
        if params["Key"] == bad.key:
            raise ConnectionError("S3 is out of reach")

    moto_stage.s3.meta.events.register("provide-client-params.s3.GetObject", fail)
    while queue.deliver(queue.start(monkeypatch)):
        pass
    moto_stage.s3.meta.events.unregister("provide-client-params.s3.GetObject", fail)
    assert queue.dead_letters() == [bad.key]
    assert moto_stage.record(good)["status"] == "validated"
    assert moto_stage.record(bad)["status"] == "failed"
    assert "S3 is out of reach" in moto_stage.record(bad)["message"]


def test_a_file_of_many_media_takes_no_time_from_others(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """29 MB of clean events, each of which names another medium."""
    queue = NewFilesQueue()
    moto_stage.media.note("a/MYLIB/medium-44999.png", "A", is_there=True)
    each = body(event("SIM_EVENT", 1, type="SELECT_IMAGE", payload={"media_id": "medium-", "medialib": "MYLIB"}))
    head, _, tail = each.partition(b"medium-")
    large = moto_stage.put("m", b"".join(b"%bmedium-%05d%b" % (head, number, tail) for number in range(MANY)))
    good = [moto_stage.put(f"{folder}/{number}", GOOD) for folder in ("a", "z") for number in range(10)]
    queue.announce(*good[:10], large, *good[10:])
    validate_files, begun = queue.start(monkeypatch), time.process_time()
    with moto_stage.calls.record() as operations:
        assert queue.deliver(validate_files) == [1] * 21
    assert time.process_time() - begun < SECONDS
    assert operations.count("Query") < MANY / 100
    assert queue.deliver(validate_files) == []
    assert moto_stage.record(large)["clean"] == {"SIM_EVENT": MANY}
    assert moto_stage.record(large)["media_missing"] == MANY - 1
    assert_books_balance()


@pytest.mark.parametrize("limit", [{"file_seconds": 0.0}, {"file_look_ups": 1}])
def test_a_file_beyond_its_budget_is_refused_with_its_numbers(moto_stage: MotoStage, limit: dict[str, Any]) -> None:
    moto_stage.limits = replace(moto_stage.limits, **limit)
    media = (
        event("SIM_EVENT", 1, type="SELECT_IMAGE", payload={"media_id": f"{number}", "medialib": "MYLIB"})
        for number in range(300)
    )
    good, slow, other = moto_stage.put("a", GOOD), moto_stage.put("b", body(*media)), moto_stage.put("c", GOOD)
    assert moto_stage.validate(good, slow, other).failed == {}
    assert [moto_stage.record(each)["status"] for each in (good, slow, other)] == ["validated", "refused", "validated"]
    assert moto_stage.record(slow)["dirty"] == {"FILE_TOO_SLOW": 1}
    assert moto_stage.record(slow)["clean"] == {}
    assert_books_balance()
