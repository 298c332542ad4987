"""Every dirty piece of every converted chunk is in the table DIRTY_EVENTS once, with its text, place and reasons."""

import base64
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sluice.event_files.convert import dirty_rows
from sluice.event_files.ledger.model import CONVERTED, DIRTY_PREFIX, chunk_id_of
from sluice.lake.object_store import time_of_id
from sluice.lake.schemas_iceberg import KEPT_DAYS
from sluice.tables.table_files_iceberg import IcebergFiles
from tests.support.lake_tables import DATABASE
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, MotoStage
from tests.support.sample_events import body, broken, dump, event, foreign, unserved
from tests.support.snapshots import committed_records, ledger, tables

TABLE = "DIRTY_EVENTS"
_OF_ITS_CHUNK = {"id", "chunk_id", "first_seen", "source_etag"}


def rows() -> list[dict[str, Any]]:
    return sorted(tables().get(TABLE, []), key=lambda row: (row["source_key"], row["source_offset"]))


def test_what_a_row_says(moto_stage: MotoStage) -> None:
    content = body(event("MICROONE_EVENT", 1), broken(2), unserved(3), foreign(4)) + b"no \xff event"
    source = moto_stage.arrive("file", content)
    assert moto_stage.convert()
    first, second, third = rows()
    (chunk,) = ledger(CONVERTED)
    assert [row["id"] for row in rows()] == [f"{chunk['sk']}-00000{number}" for number in range(3)]
    assert (first["chunk_id"], first["source_etag"]) == (chunk["sk"], source.etag)
    assert first["first_seen"] == time_of_id(chunk["sk"]).replace(tzinfo=None)
    text = dump(broken(2)).decode()
    assert first["raw"] == content[first["source_offset"] :][: first["source_length"]].decode() == text
    del first["errors"][0]["message"]
    assert {
        name: first[name] for name in first if name not in _OF_ITS_CHUNK | {"raw", "source_offset", "source_length"}
    } == {
        "reason": "RULE_BROKEN",
        "rule": "enum",
        "pointer": "/detail/evaluation/reporter",
        "errors": [{"rule": "enum", "pointer": "/detail/evaluation/reporter"}],
        "table_name": "MICROONE_EVENT",
        "contract_version": 1,
        "family": "event_files",
        "kind": "EVENT",
        "service": "microone",
        "producer_version": broken(2)["detail"]["evaluation"]["template_ef_version"],
        "event_id": "MICROONE_EVENT-2",
        "source_bucket": source.bucket,
        "source_key": "file",
        "pieces": 1,
        "raw_base64": None,
        "year": 2026,
        "month": 1,
        "day": 31,
    }
    assert (second["reason"], second["table_name"], second["service"]) == ("NO_CONTRACT", None, "imageTagging")
    assert (third["reason"], third["raw"]) == ("FRAGMENT", None)
    assert base64.b64decode(third["raw_base64"]).endswith(b"no \xff event")


@pytest.mark.parametrize("seed", range(3))
def test_random_files_over_several_runs(moto_stage: MotoStage, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(dirty_rows, "_PART_BYTES", 2_000)
    chance = random.Random(seed)
    moto_stage.batch_bytes = 4_000
    for number in range(12):
        made = [event("MICROONE_EVENT", number), broken(number), unserved(number), foreign(number)]
        pieces = [dump(each) for each in chance.choices(made, k=chance.randrange(8))]
        pieces += chance.choices(
            [b'{"a":1}', b"garbage", b'{"cut":', b"\xff\xfe", b"{}" * 1_500, b"\xe2\x80\xa8\x00{"], k=3
        )
        chance.shuffle(pieces)
        moto_stage.arrive(f"file-{number:02}", b"\n".join(pieces))
        if chance.random() < 0.4:
            moto_stage.convert()
    moto_stage.convert()
    _assert_all_there()


def test_days_of_a_run(moto_stage: MotoStage) -> None:
    """Chunks of one run that were validated on two days: each is in its own day's partition."""
    moto_stage.arrive("today", body(broken(1)))
    _let_pass(moto_stage, 86_400)
    moto_stage.arrive("tomorrow", body(broken(2)))
    assert moto_stage.convert()
    assert [(row["source_key"], row["month"], row["day"]) for row in rows()] == [("today", 1, 31), ("tomorrow", 2, 1)]
    _assert_all_there()


def test_what_an_earlier_version_converted_in_an_open_run_is_converted_anew(moto_stage: MotoStage) -> None:
    moto_stage.arrive("file", body(event("MICROONE_EVENT", 1), broken(2)))
    with moto_stage.execution("me"):
        planned = moto_stage.plan("me")
        moto_stage.convert_batches(planned)
        (receipts,) = (key for key in moto_stage.keys("runs/") if "/receipts/" in key)
        kept = moto_stage.lake.read(receipts).splitlines(keepends=True)
        before = b'{"batch_id":"00001-DIRTY","table":null,"rows":0,"files":[],"parquet_bytes":0,"newest_hour":""}\n'
        moto_stage.lake.write(receipts, kept[0] + before)
    assert moto_stage.convert("another")
    assert len(rows()) == 1
    assert len(tables()["MICROONE_EVENT"]) == 1


def test_days_that_are_over_go(moto_stage: MotoStage) -> None:
    for number in range(3):
        moto_stage.arrive(f"file-{number}", body(broken(number), event("MICROONE_EVENT", number)))
        assert moto_stage.convert()
        _let_pass(moto_stage, 86_400)
    upkeep = IcebergFiles(moto_stage.glue, DATABASE, LAKE, moto_stage.s3)
    now = datetime(2026, 2, 3, tzinfo=UTC)
    assert upkeep.drop_days(TABLE, now) == 0, "a table without such a property keeps its days"
    with upkeep._load(TABLE).transaction() as change:
        change.set_properties({KEPT_DAYS: "2"})
    assert upkeep.drop_days(TABLE, now) == 1
    assert [row["day"] for row in rows()] == [1, 2]
    assert upkeep.drop_days(TABLE, now) == 0
    assert upkeep.drop_days(TABLE, now + timedelta(days=9)) == 2
    assert upkeep.drop_days("MICROONE_EVENT", now) == 0
    assert len(tables()["MICROONE_EVENT"]) == 3


def _let_pass(moto_stage: MotoStage, seconds: int) -> None:
    for _ in range(seconds):
        next(moto_stage._ticks)


def _assert_all_there() -> None:
    """Compare the table with the dirty objects of the converted chunks, and with the ledger's counts."""
    chunks = {chunk["sk"]: chunk for chunk in ledger(CONVERTED)}
    assert {chunk_id_of(key) for key in objects_of(LAKE, DIRTY_PREFIX)} <= chunks.keys()
    wanted = Counter(
        (each["source_key"], each["offset"], each["length"], each.get("raw"), each.get("raw_base64"), each["reason"])
        for each in committed_records(DIRTY_PREFIX)
    )
    members = ("source_key", "source_offset", "source_length", "raw", "raw_base64", "reason")
    found = rows()
    assert Counter(tuple(row[name] for name in members) for row in found) == wanted
    assert len({row["id"] for row in found}) == len(found)
    counted: Counter[tuple[str, str]] = Counter()
    for chunk in chunks.values():
        for table, reasons in chunk["dirty"].items():
            counted.update({(table, reason): count for reason, count in reasons.items()})
    pieces: Counter[tuple[str, str]] = Counter()
    for row in found:
        pieces[row["table_name"] or "-", row["reason"]] += row["pieces"]
    assert pieces == counted
