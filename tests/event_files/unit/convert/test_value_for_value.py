"""Each clean event becomes a row that holds its values: nothing fails, nothing is changed."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice.contracts.load import TABLES
from sluice.contracts.model import Contract
from sluice.event_files.convert.batches import read_rows
from sluice.event_files.ledger.model import Counts
from sluice.event_files.validate.event_processor import EventProcessor, lineage_of
from sluice.lake.parquet import to_parquet
from tests.event_files.unit.convert.expected_rows import expected_row, expected_unknown_members
from tests.event_files.unit.validate.contract_events import (
    CONTRACTS,
    with_duplicates,
    with_two_values,
    with_unknown_members,
    with_values,
)

by_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)


def find_media(medialib: str, media_id: str) -> str | None:
    """Every other medium is known."""
    return f"s3://media/{medialib}/{media_id}.png" if len(media_id) % 2 else None


def convert(contract: Contract, texts: Iterable[str]) -> tuple[list[str], pa.Table]:
    """Return those of `texts` that are clean, and their rows."""
    processor = EventProcessor(contract, find_media)
    passed, lines = [], []
    for number, text in enumerate(texts):
        raw = text.encode()
        lineage = lineage_of(f"key {number} é %d") % (number << 40)
        line = processor.process(orjson.loads(raw), memoryview(raw), lineage, Counts())
        if isinstance(line, bytes):
            passed.append((number, text))
            lines.append(line)
    rows = read_rows(contract, b"".join(lines))
    keys = [(f"key {number} é %d", number << 40) for number, _ in passed]
    assert list(zip(*rows.select(["_source_key", "_source_offset"]).to_pydict().values(), strict=True)) == keys
    return [text for _, text in passed], rows


def assert_value_for_value(contract: Contract, texts: list[str], rows: pa.Table) -> None:
    assert rows.column_names == [column.name for column in contract.table_columns]
    for text, row in zip(texts, rows.to_pylist(), strict=True):
        wanted = expected_row(contract, text, find_media)
        assert exactly({name: row[name] for name in wanted}) == exactly(wanted), text
        unknown = expected_unknown_members(contract, text)
        assert (row["_rescued"] is None) is (not unknown), text
        assert exactly(json.loads(row["_rescued"] or "{}")) == exactly(unknown), text


def exactly(value: Any) -> str:
    """Text that tells 1 from 1.0 and from true, 0.0 from -0.0, and integers of any size from one another."""
    return json.dumps(value, sort_keys=True)


@by_contract
def test_every_value_at_every_place(contract: Contract) -> None:
    events = list(with_values(contract))
    passed, rows = convert(contract, events)
    assert len(passed) > 0.15 * len(events)
    assert_value_for_value(contract, passed, rows)


@by_contract
def test_values_at_two_places(contract: Contract) -> None:
    passed, rows = convert(contract, with_two_values(contract, 500))
    assert len(passed) >= 10
    assert_value_for_value(contract, passed, rows)


def clean_samples(contract: Contract) -> Iterable[str]:
    samples = json.loads((TABLES / contract.family / contract.table / "clean.json").read_bytes())
    return [json.dumps(sample, ensure_ascii=False) for sample in samples]


@by_contract
@pytest.mark.parametrize("texts_of", [clean_samples, with_duplicates])
def test_samples_and_duplicate_members(contract: Contract, texts_of: Callable[[Contract], Iterable[str]]) -> None:
    events = list(texts_of(contract))
    passed, rows = convert(contract, events)
    assert passed == events
    assert_value_for_value(contract, passed, rows)


@by_contract
def test_unknown_members_are_rescued(contract: Contract) -> None:
    events = list(with_unknown_members(contract))
    passed, rows = convert(contract, events)
    assert passed == events
    assert_value_for_value(contract, passed, rows)
    assert rows["_rescued"].null_count <= 0.2 * len(events)  # those in detail.tags, which may hold anything


@by_contract
def test_parquet_holds_the_same(contract: Contract) -> None:
    _, rows = convert(contract, with_two_values(contract, 100))
    assert pq.read_table(pa.BufferReader(to_parquet(rows))).equals(rows)
