"""A chunk's lines, grouped by table in segments of whole rows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.event_files.ledger.model import Segment
from sluice.event_files.validate import lines as module
from sluice.event_files.validate.lines import SEGMENT_BYTES, Lines

MB = 1 << 20


def lines_of(*rows: tuple[str, int]) -> Lines:
    """Rows of so many bytes, each told from every other."""
    lines = Lines()
    for number, (table, size) in enumerate(rows):
        lines.add_clean(table, b"%0*d\n" % (size - 1, number))
    return lines


def assert_segments(lines: Lines) -> tuple[Segment, ...]:
    """Segments follow one another over the whole body; each is whole rows of its table, in order, and not too large."""
    body, segments = lines.clean_body()
    offset = 0
    found: dict[str, list[bytes]] = {}
    for segment in segments:
        assert segment.offset == offset
        rows = body[offset : offset + segment.length].splitlines(keepends=True)
        assert len(rows) == segment.rows > 0
        assert segment.length <= module.SEGMENT_BYTES or segment.rows == 1
        found.setdefault(segment.table, []).extend(rows)
        offset += segment.length
    assert offset == len(body)
    assert found == lines.clean
    return segments


@pytest.mark.parametrize(
    ("sizes", "rows"),
    [
        ([], []),
        ([10], [1]),
        ([3 * MB, 3 * MB, 3 * MB], [2, 1]),
        ([SEGMENT_BYTES], [1]),
        ([SEGMENT_BYTES - 10, 10], [2]),
        ([SEGMENT_BYTES - 10, 11], [1, 1]),
        ([SEGMENT_BYTES + 1, 10, 10], [1, 2]),
        ([10, SEGMENT_BYTES + 1, 10], [1, 1, 1]),
    ],
)
def test_segments_are_cut_where_they_are_full(sizes: list[int], rows: list[int]) -> None:
    assert [segment.rows for segment in assert_segments(lines_of(*(("A", size) for size in sizes)))] == rows


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.integers(4, 40)), max_size=30))
def test_segments_of_any_rows(rows: list[tuple[str, int]]) -> None:
    lines = lines_of(*rows)
    assert lines.size == sum(size for _, size in rows)
    tables = [segment.table for segment in assert_segments(lines)]
    assert tables == sorted({table for table, _ in rows})


def test_lines_of_another_file_are_added() -> None:
    lines, other = lines_of(("A", 10)), lines_of(("A", 20), ("B", 30))
    for each in (lines, other):
        each.add_dirty(b"dirty\n")
        each.add_unrelated(b"foreign\n")
    lines.extend(other)
    sizes: dict[str, Any] = {table: [len(line) for line in rows] for table, rows in lines.clean.items()}
    assert sizes == {"A": [10, 20], "B": [30]}
    assert (bytes(lines.dirty), bytes(lines.unrelated)) == (b"dirty\n" * 2, b"foreign\n" * 2)
    assert lines.size == 60 + 12 + 16
