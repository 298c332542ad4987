"""Batches within DSQL's limits, whatever the rows are like."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.mart.batches import MAX_BYTES, MAX_ROWS, MAX_TEXT_BYTES, cut
from sluice.mart.model import RowError


def weighed(batch: dict[str, list[Any]]) -> int:
    return sum(len(value.encode()) if isinstance(value, str) else 8 for values in batch.values() for value in values)


@given(
    st.lists(st.tuples(st.integers(0, 3_500), st.sampled_from(["", "x", "é" * 1_000, "y" * 60_000, None])), max_size=5)
)
def test_batches_are_the_rows_in_order_and_within_limits(runs: list[tuple[int, str | None]]) -> None:
    texts = [text for count, text in runs for _ in range(count if not text or len(text) < 100 else count // 50)]
    rows: dict[str, list[Any]] = {"id": list(range(len(texts))), "text": texts}
    batches = list(cut(rows, ["id"]))
    assert [value for batch in batches for value in batch["id"]] == rows["id"]
    assert [value for batch in batches for value in batch["text"]] == rows["text"]
    for batch in batches:
        assert 0 < len(batch["id"]) <= MAX_ROWS
        assert weighed(batch) <= MAX_BYTES


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"text": ["ok", "x" * (MAX_TEXT_BYTES + 1)]}, "text has 1,048,577 bytes; it may have 1,048,576"),
        ({"text": ["ok", "é" * 600_000]}, "text has 1,200,000 bytes"),
        ({"text": ["ok", "a\0b"]}, "text has a NUL character"),
        ({name: ["ok", "x" * 1_000_000] for name in "abc"}, "it has 3,000,028 bytes; it may have 2,097,152"),
    ],
)
def test_a_row_that_does_not_fit_is_named(columns: dict[str, list[str]], fault: str) -> None:
    with pytest.raises(RowError, match=f"the mart cannot hold the row with id 8: {fault}"):
        list(cut({"id": [7, 8], **columns}, ["id"]))
