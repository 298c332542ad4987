"""Each clean event becomes a row that holds its values: nothing fails, nothing is changed."""

import json
import re
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.contracts.load import TABLES
from sluice.contracts.model import Contract
from sluice.event_files.convert.batches import read_rows
from sluice.event_files.ledger.model import Counts, SourceObject
from sluice.event_files.validate.event_processor import EventProcessor, EventProcessors, lineage_of
from sluice.event_files.validate.routing import FileRouting
from sluice.lake.parquet import to_parquet
from tests.event_files.unit.convert.expected_rows import expected_rescued, expected_row, numbers_as_written
from tests.event_files.unit.validate.contract_events import (
    CONTRACTS,
    REGISTRY,
    with_duplicates,
    with_two_values,
    with_unknown_members,
    with_values,
)
from tests.event_files.unit.validate.event_strategies import contract_events

by_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.table)


def find_media(medialib: str, media_id: str) -> str | None:
    """Every other medium is known."""
    return f"s3://media/{medialib}/{media_id}.png" if len(media_id) % 2 else None


PROCESSORS = EventProcessors(REGISTRY, find_media)


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
        rescued = expected_rescued(contract, text, find_media)
        assert exactly(numbers_as_written(row["_rescued"])) == exactly(rescued), text


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
    samples = json.loads((TABLES / contract.family.name / contract.table / "clean.json").read_bytes())
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


def test_zeros_keep_their_signs_where_a_line_is_written_anew() -> None:
    contract = REGISTRY.contract("MICROTHREE_PRED")
    written = {r'("timestamp": \d+)': r"\1.0", r'("scores": )\[[^]]*\]': r"\1[-0, 0 ,-0.0,0.0]"}
    text = next(iter(clean_samples(contract)))
    for pattern, replacement in written.items():
        text = re.sub(pattern, replacement, text)
    passed, rows = convert(contract, [text])
    assert passed == [text]
    assert str(rows["scores"][0].as_py()) == "[-0.0, 0.0, -0.0, 0.0]"
    assert_value_for_value(contract, passed, rows)


@given(st.lists(contract_events(), min_size=1, max_size=3))
@settings(max_examples=150, deadline=None)
def test_an_event_is_its_columns_and_what_is_rescued(events: list[tuple[Contract, bytes]]) -> None:
    """From the file's bytes to Parquet, by the parts of the pipeline."""
    texts = [text for _, text in events]
    routing = FileRouting(PROCESSORS, SourceObject("source", "a key", "etag"))
    routing.route(b"".join(texts), 1 << 20, lambda _: None)
    at = dict(zip(accumulate(map(len, texts), initial=0), texts, strict=False))
    for (table, _), lines in routing.lines.clean.items():
        contract = REGISTRY.contract(table)
        rows = pq.read_table(pa.BufferReader(to_parquet(read_rows(contract, b"".join(lines)))))
        offsets = rows["_source_offset"].to_pylist()
        assert_value_for_value(contract, [at[offset].decode() for offset in offsets], rows)
