"""Lines of a chunk: clean events table by table and hour by hour, dirty and unrelated records."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, groupby
from operator import itemgetter

from sluice.event_files.ledger.model import HOUR_WORK, Segment

SEGMENT_WORK = 8 << 20
"""Most work of a segment, unless a single line is more; batches of a conversion are put together from segments."""


@dataclass(slots=True)
class Lines:
    """NDJSON lines, each with its newline."""

    clean: defaultdict[tuple[str, str], list[bytes]] = field(default_factory=lambda: defaultdict(list))
    dirty: bytearray = field(default_factory=bytearray)  # in one piece: what wrote a record may have left it its buffer
    unrelated: bytearray = field(default_factory=bytearray)
    size: int = 0

    def add_clean(self, table: str, hour: str, line: bytes) -> None:
        """Add a clean event of a table, and of an hour (``YYYY-MM-DDTHH``)."""
        self.clean[table, hour].append(line)
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
        for place, lines in other.clean.items():
            self.clean[place].extend(lines)
        self.dirty += other.dirty
        self.unrelated += other.unrelated
        self.size += other.size

    def clean_body(self) -> tuple[bytes, tuple[Segment, ...]]:
        """Return the clean object's bytes, table by table and hour by hour, and the segments of its rows."""
        places = sorted(self.clean)
        segments: list[Segment] = []
        offset = 0
        for table, of_table in groupby(places, itemgetter(0)):
            for rows, length, hours in _cut([*map(len, self.clean[place])] for place in of_table):
                segments.append(Segment(table, offset, length, rows, hours=hours))
                offset += length
        return b"".join(chain.from_iterable(map(self.clean.__getitem__, places))), tuple(segments)


def _cut(lengths_by_hour: Iterable[list[int]]) -> Iterable[tuple[int, int, int]]:
    """Yield the lines, bytes and hours of each segment."""
    rows = size = hours = 0
    for lengths in lengths_by_hour:
        total = sum(lengths)
        if size + total + (hours + 1) * HOUR_WORK <= SEGMENT_WORK:  # the common case, without looking at each line
            rows, size, hours = rows + len(lengths), size + total, hours + 1
            continue
        begins = True
        for length in lengths:
            if rows and size + length + (hours + begins) * HOUR_WORK > SEGMENT_WORK:
                yield rows, size, hours
                rows = size = hours = 0
                begins = True
            rows += 1
            size += length
            hours += begins
            begins = False
    if rows:
        yield rows, size, hours
