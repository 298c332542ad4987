"""Chunks, transactions and items stay within the limits of AWS, whatever comes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from cli.event_files.again import announce_again
from sluice.event_files.ledger.model import CLEAN_PREFIX, UNRELATED_PREFIX, clean_key
from sluice.event_files.validate.validation import MAX_SOURCES_PER_COMMIT
from tests.event_files.integration.convert.test_again import deployed
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, REGISTRY, MotoStage
from tests.support.sample_events import body, dump, event, foreign
from tests.support.snapshots import assert_books_balance, committed_records, ledger, tables

TRANSACTION_ITEMS = 100
ITEM_BYTES = 400 << 10


@contextmanager
def transactions(moto_stage: MotoStage) -> Iterator[list[int]]:
    """Give the number of items of every transaction that is tried."""
    sizes: list[int] = []

    def note(params: dict[str, Any], **_: object) -> None:
        sizes.append(len(params["TransactItems"]))

    events, name = moto_stage.dynamodb.meta.events, "provide-client-params.dynamodb.TransactWriteItems"
    events.register(name, note)
    try:
        yield sizes
    finally:
        events.unregister(name, note)


def test_a_chunk_is_cut_when_its_bytes_are_full(moto_stage: MotoStage) -> None:
    size = 40_000
    moto_stage.limits = replace(moto_stage.limits, chunk_bytes=size)
    file = body(*(event("MICROONE_EVENT", number) for number in range(10)))
    assert moto_stage.validate(*(moto_stage.put(f"x/{number:02}", file) for number in range(30))).failed == {}
    chunks = [len(content) for content in objects_of(LAKE, CLEAN_PREFIX).values()]
    assert len(chunks) >= 3
    assert all(size <= chunk < size + len(file) * 2 for chunk in chunks[:-1])
    assert_books_balance()


def test_a_file_larger_than_a_chunk_fills_chunks_of_its_own(moto_stage: MotoStage) -> None:
    moto_stage.limits = replace(moto_stage.limits, chunk_bytes=5_000)
    small = moto_stage.put("x/small", body(event("MICROONE_EVENT", 1)))
    big = moto_stage.put("x/big", body(*(event("MICROONE_EVENT", number) for number in range(50))))
    with transactions(moto_stage) as sizes:
        assert moto_stage.validate(small, big).failed == {}
    own = moto_stage.record(big)["chunks"]
    assert sizes == [1 + len(own), 2]
    assert len(own) > 3
    assert moto_stage.record(small)["chunks"][0] not in own
    for chunk_id in own[:-1]:
        assert 5_000 <= len(objects_of(LAKE)[clean_key(chunk_id)]) < 6_500
    assert_books_balance()
    moto_stage.convert()
    assert len(tables()["MICROONE_EVENT"]) == 51


def test_a_commit_is_cut_at_98_files(moto_stage: MotoStage) -> None:
    sources = [moto_stage.put(f"x/{number}", b"?") for number in range(MAX_SOURCES_PER_COMMIT + 1)]
    with transactions(moto_stage) as sizes:
        assert moto_stage.validate(*sources).failed == {}
    assert sizes == [99, 2]
    assert [chunk["files"] for chunk in ledger("chunk#")] == [98, 1]
    assert_books_balance()


def test_a_file_may_fill_98_chunks_and_no_more(moto_stage: MotoStage) -> None:
    """With its record and the check of `--again`, which takes all back, they are the 100 items of a transaction.

    More are refused, other files are not.
    """
    moto_stage.limits = replace(moto_stage.limits, chunk_bytes=700)
    line = foreign(1) | {"filling": "x" * 700}
    most = moto_stage.put("x/most", dump(line) * 97 + dump(foreign(2)))
    more = moto_stage.put("x/more", dump(line) * 98)
    one = moto_stage.put("x/one", dump(foreign(3)))
    with transactions(moto_stage) as sizes:
        assert moto_stage.validate(most, more, one).failed == {}
        announce_again(deployed(moto_stage), [ledger("chunk#")[0]["sk"]])
    assert sizes == [TRANSACTION_ITEMS - 1, 3, TRANSACTION_ITEMS]
    with transactions(moto_stage) as sizes:
        assert moto_stage.validate(most).failed == {}
    assert sizes == [TRANSACTION_ITEMS - 1]
    records = [moto_stage.record(source) for source in (most, more, one)]
    assert [record["status"] for record in records] == ["validated", "refused", "validated"]
    assert [record["unrelated"] for record in records] == [98, 0, 1]
    assert [record["dirty"] for record in records] == [{}, {"FILE_TOO_LARGE": 1}, {}]
    assert len(committed_records(UNRELATED_PREFIX)) == 99
    assert_books_balance()


def test_items_stay_small_with_every_table_and_reason(moto_stage: MotoStage) -> None:
    """DynamoDB takes 400 KB an item and 4 MB a transaction of 100."""
    every_table = [event(contract.table, 1) for contract in REGISTRY.contracts]
    spoilt = [{**each, "time": "yesterday"} for each in every_table]
    others = [b"?", b"{}", b'{"a":NaN}', b'{"source":"app.event.file"}', dump(foreign(1))]
    assert moto_stage.validate(moto_stage.put("x/" + "k" * 1022, body(*every_table, *spoilt, *others))).failed == {}
    (chunk,), (source,) = ledger("chunk#"), ledger("source#")
    assert len(chunk["clean"]) == len(chunk["segments"]) == len(REGISTRY.contracts)
    assert len(source["dirty"]) == 5
    for item in (chunk, source):
        assert len(json.dumps(item)) < ITEM_BYTES / 50
