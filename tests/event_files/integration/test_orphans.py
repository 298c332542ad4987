"""The daily sweep deletes chunk objects that were never committed, a day after they were written, and no other."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice.event_files.ledger.model import ChunkRecord, Segment, clean_key, dirty_key, unrelated_key
from sluice.event_files.ledger.orphans import sweep
from sluice.lake.object_store import timestamped_id
from tests.support.lambda_handlers import load_handler
from tests.support.moto.backend import backdate, objects_of
from tests.support.moto.stage import LAKE, MotoStage

pytestmark = pytest.mark.usefixtures("roles")

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


def _write(moto_stage: MotoStage, written: datetime, token: str) -> str:
    """Write a chunk's three objects at a time; return its id."""
    chunk_id = timestamped_id(written, token)
    for key in _keys(chunk_id):
        moto_stage.lake.write(key, b"{}\n")
        backdate(LAKE, key, written)
    return chunk_id


def _keys(*chunk_ids: str) -> set[str]:
    return {key_of(chunk_id) for chunk_id in chunk_ids for key_of in (clean_key, dirty_key, unrelated_key)}


def _commit(moto_stage: MotoStage, chunk_id: str) -> str:
    moto_stage.ledger.commit([ChunkRecord(chunk_id, (Segment("MICROONE_EVENT", 0, 3, 1),), dirty_length=3)], [])
    return chunk_id


def test_orphans_of_the_last_week_that_are_older_than_a_day_go(moto_stage: MotoStage) -> None:
    orphans = {_write(moto_stage, NOW - hours * HOUR, "0000000a") for hours in (24.1, 26, 47, 72, 167)}
    young = {_write(moto_stage, NOW - hours * HOUR, "0000000b") for hours in (0, 1, 23.9)}
    beyond = {_write(moto_stage, NOW - 9 * 24 * HOUR, "0000000e")}
    pending = {_commit(moto_stage, _write(moto_stage, NOW - hours * HOUR, "0000000c")) for hours in (1, 25, 72)}
    converted = {_commit(moto_stage, _write(moto_stage, NOW - hours * HOUR, "0000000d")) for hours in (1, 25, 72)}
    moto_stage.runs.mark_converted(converted, "run")
    moto_stage.lake.write("runs/run/commit.json", b"{}")
    removed = sweep(moto_stage.lake, moto_stage.ledger.known_chunks, NOW)
    assert set(removed) == _keys(*orphans)
    assert len(removed) == len(set(removed))
    assert set(objects_of(LAKE)) == _keys(*young, *beyond, *pending, *converted) | {"runs/run/commit.json"}
    assert sweep(moto_stage.lake, moto_stage.ledger.known_chunks, NOW) == []


def test_a_chunk_that_is_being_converted_is_no_orphan(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    """BatchGetItem reads its items one by one, in no order; a chunk may move from pending to converted in between."""
    chunk_id = _commit(moto_stage, _write(moto_stage, NOW - 30 * HOUR, "0000000a"))
    batch_get_item: Any = moto_stage.dynamodb.batch_get_item

    def one_by_one(RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        found: dict[str, list[Any]] = {}
        ((table, wanted),) = RequestItems.items()
        for key in sorted(wanted["Keys"], key=lambda key: str(key["pk"]["S"])):
            answer = batch_get_item(RequestItems={table: {**wanted, "Keys": [key]}})
            found.setdefault(table, []).extend(answer["Responses"][table])
            moto_stage.runs.mark_converted([chunk_id], "run")
        return {"Responses": found, "UnprocessedKeys": {}}

    monkeypatch.setattr(moto_stage.dynamodb, "batch_get_item", one_by_one)
    assert sweep(moto_stage.lake, moto_stage.ledger.known_chunks, NOW) == []
    assert set(objects_of(LAKE)) == _keys(chunk_id)


def test_the_function(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch) -> None:
    orphan, young = _write(moto_stage, NOW - 30 * HOUR, "0000000a"), _write(moto_stage, NOW - HOUR, "0000000b")
    sweep_orphans = load_handler("sweep_orphans", monkeypatch)
    assert sweep_orphans({}) == {"removed": 3}
    assert sweep_orphans({}) == {"removed": 0}
    assert set(objects_of(LAKE)) == _keys(young) - _keys(orphan)
