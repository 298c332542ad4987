"""Lines of a chunk: clean events table by table, dirty and unrelated records."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sluice.event_files.ledger.model import Segment

SEGMENT_BYTES = 8 << 20
"""Most bytes of a segment, unless a single line is larger; batches of a conversion are put together from segments."""


@dataclass(slots=True)
class Lines:
    """NDJSON lines, each with its newline."""

    clean: defaultdict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    dirty: bytearray = field(default_factory=bytearray)  # in one piece: what wrote a record may have left it its buffer
    unrelated: bytearray = field(default_factory=bytearray)
    size: int = 0

    def add_clean(self, table: str, line: bytes) -> None:
        """Add a clean event of `table`."""
        self.clean[table].append(line)
        self.size += len(line)

    def add_dirty(self, line: bytes) -> None:
        """Add a dirty record."""
        self.dirty += line
        self.size += len(line)

    def add_unrelated(self, line: bytes) -> None:
        """Add an unrelated record."""
        self.unrelated += line
        self.size += len(line)

    def extend(self, other: "Lines") -> None:
        """Add all lines of another file."""
        for table, lines in other.clean.items():
            self.clean[table].extend(lines)
        self.dirty += other.dirty
        self.unrelated += other.unrelated
        self.size += other.size

    def clean_body(self) -> tuple[bytes, tuple[Segment, ...]]:
        """Return the clean object's bytes, table by table, and the segments of its rows."""
        segments: list[Segment] = []
        offset = 0
        for table in sorted(self.clean):
            for rows, length in _cut(map(len, self.clean[table])):
                segments.append(Segment(table, offset, length, rows))
                offset += length
        return b"".join(line for table in sorted(self.clean) for line in self.clean[table]), tuple(segments)


def _cut(lengths: Iterable[int]) -> Iterable[tuple[int, int]]:
    """Yield the lines and bytes of each segment."""
    rows = size = 0
    for length in lengths:
        if rows and size + length > SEGMENT_BYTES:
            yield rows, size
            rows = size = 0
        rows += 1
        size += length
    if rows:
        yield rows, size
