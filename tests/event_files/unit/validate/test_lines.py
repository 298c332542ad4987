"""A chunk's lines, grouped by table in segments of whole rows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.event_files.ledger.model import HOUR_WORK, Segment
from sluice.event_files.validate.lines import SEGMENT_WORK, Lines

MB = 1 << 20
HOUR = "2026-01-31T23"
MOST = SEGMENT_WORK - HOUR_WORK  # bytes of one hour's lines in a segment


def lines_of(*rows: tuple[str, int]) -> Lines:
    """Rows of so many bytes, each told from every other."""
    lines = Lines()
    for number, (table, size) in enumerate(rows):
        lines.add_clean(table, HOUR, b"%0*d\n" % (size - 1, number))
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
        assert segment.length + segment.hours * HOUR_WORK <= SEGMENT_WORK or segment.rows == 1
        found.setdefault(segment.table, []).extend(rows)
        offset += segment.length
    assert offset == len(body)
    assert found == {table: rows for (table, _), rows in lines.clean.items()}
    return segments


@pytest.mark.parametrize(
    ("sizes", "rows"),
    [
        ([], []),
        ([10], [1]),
        ([3 * MB, 3 * MB, 3 * MB], [2, 1]),
        ([MOST], [1]),
        ([MOST - 10, 10], [2]),
        ([MOST - 10, 11], [1, 1]),
        ([MOST + 1, 10, 10], [1, 2]),
        ([10, MOST + 1, 10], [1, 1, 1]),
    ],
)
def test_segments_are_cut_where_they_are_full(sizes: list[int], rows: list[int]) -> None:
    assert [segment.rows for segment in assert_segments(lines_of(*(("A", size) for size in sizes)))] == rows


def test_segments_are_cut_by_hours_and_hold_each_hour_of_a_table_together() -> None:
    """Rows of hours that came in turns are as few files as there are hours."""
    lines, hours = Lines(), [f"20{number // 24:02}-01-31T{number % 24:02}" for number in range(2000)]
    for number, hour in enumerate(hours * 3):
        lines.add_clean("A", hour, b"%09d\n" % number)
    body, segments = lines.clean_body()
    assert [segment.hours for segment in segments] == [511, 511, 511, 467]
    assert [segment.rows for segment in segments] == [3 * segment.hours for segment in segments]
    assert all(segment.length + segment.hours * HOUR_WORK <= SEGMENT_WORK for segment in segments)
    assert [int(line) % 2000 for line in body.splitlines()[::3]] == list(range(2000))


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
    sizes: dict[str, Any] = {table: [len(line) for line in rows] for (table, _), rows in lines.clean.items()}
    assert sizes == {"A": [10, 20], "B": [30]}
    assert (bytes(lines.dirty), bytes(lines.unrelated)) == (b"dirty\n" * 2, b"foreign\n" * 2)
    assert lines.size == 60 + 12 + 16
