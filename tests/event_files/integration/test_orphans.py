"""The daily sweep: chunk objects that nobody committed go, a day after they were written; all others stay."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice.event_files.ledger.model import ChunkRecord, Segment
from sluice.event_files.orphans import sweep
from sluice.lake.keys import clean_key, dirty_key, timestamped_id, unrelated_key
from tests.support.functions import load
from tests.support.storage import age, objects_of
from tests.support.world import LAKE, World

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def _write(world: World, written: datetime, token: str) -> str:
    """Write a chunk's three objects at a time; return its id."""
    chunk_id = timestamped_id(written, token)
    for key in _keys(chunk_id):
        world.lake.write(key, b"{}\n")
        age(LAKE, key, written)
    return chunk_id


def _keys(*chunk_ids: str) -> set[str]:
    return {key_of(chunk_id) for chunk_id in chunk_ids for key_of in (clean_key, dirty_key, unrelated_key)}


def _commit(world: World, chunk_id: str) -> str:
    world.ledger.commit([ChunkRecord(chunk_id, (Segment("MICROONE_EVENT", 0, 3, 1),), dirty_bytes=3)], [])
    return chunk_id


def test_only_orphans_older_than_a_day_go(world: World) -> None:
    orphans = {_write(world, NOW - hours * HOUR, "0000000a") for hours in (25, 26, 47, 72, 167)}
    young = {_write(world, NOW - hours * HOUR, "0000000b") for hours in (0, 1, 23)}
    pending = {_commit(world, _write(world, NOW - hours * HOUR, "0000000c")) for hours in (1, 25, 72)}
    converted = {_commit(world, _write(world, NOW - hours * HOUR, "0000000d")) for hours in (1, 25, 72)}
    world.ledger.mark_converted(converted, "run")
    world.lake.write("runs/run/commit.json", b"{}")
    removed = sweep(world.lake, world.ledger, NOW)
    assert set(removed) == _keys(*orphans)
    assert len(removed) == len(set(removed))
    assert set(objects_of(LAKE)) == _keys(*young, *pending, *converted) | {"runs/run/commit.json"}
    assert sweep(world.lake, world.ledger, NOW) == []


def test_many_orphans_and_chunks_of_one_day(world: World) -> None:
    """More than one BatchGetItem takes."""
    day = NOW - 30 * HOUR
    ids = [timestamped_id(day + timedelta(seconds=number), "0000000a") for number in range(120)]
    for chunk_id in ids:
        world.lake.write(dirty_key(chunk_id), b"{}\n")
        age(LAKE, dirty_key(chunk_id), day)
    for chunk_id in ids[::2]:
        _commit(world, chunk_id)
    assert sweep(world.lake, world.ledger, NOW) == [dirty_key(chunk_id) for chunk_id in ids[1::2]]


def test_a_chunk_that_is_being_converted_is_no_orphan(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """BatchGetItem reads its items one by one, in no order; a chunk may move from pending to converted in between."""
    chunk_id = _commit(world, _write(world, NOW - 30 * HOUR, "0000000a"))
    batch_get_item: Any = world.dynamodb.batch_get_item

    def one_by_one(RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        found: dict[str, list[Any]] = {}
        ((table, wanted),) = RequestItems.items()
        for key in sorted(wanted["Keys"], key=lambda key: str(key["pk"]["S"])):
            answer = batch_get_item(RequestItems={table: {**wanted, "Keys": [key]}})
            found.setdefault(table, []).extend(answer["Responses"][table])
            world.ledger.mark_converted([chunk_id], "run")
        return {"Responses": found, "UnprocessedKeys": {}}

    monkeypatch.setattr(world.dynamodb, "batch_get_item", one_by_one)
    assert sweep(world.lake, world.ledger, NOW) == []
    assert set(objects_of(LAKE)) == _keys(chunk_id)


def test_the_function(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    orphan, young = _write(world, NOW - 30 * HOUR, "0000000a"), _write(world, NOW - HOUR, "0000000b")
    sweep_orphans = load("sweep_orphans", monkeypatch)
    assert sweep_orphans({}) == {"removed": 3}
    assert sweep_orphans({}) == {"removed": 0}
    assert set(objects_of(LAKE)) == _keys(young) - _keys(orphan)
