"""Dirty records as rows of the table DIRTY_EVENTS: one per record, in a file per day on which they were first seen."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa

from sluice.contracts.family import Family, value_at
from sluice.contracts.model import DIRTY_EVENTS
from sluice.event_files.convert.model import Span
from sluice.lake.object_store import time_of_id
from sluice.lake.parquet import ParquetParts, arrow_schema, as_columns

_SCHEMA = arrow_schema((*DIRTY_EVENTS.columns, *DIRTY_EVENTS.partition))
_PART_BYTES = 4 << 20  # of texts that are rows at a time: a row more may be as large as an event can be
_PARSED = 1 << 20  # characters of a text in which the producer's version is looked for
_LONGEST_VERSION = 200  # characters
_SAME = ("reason", "errors", "contract_version", "family", "kind", "service", "event_id")
_PLACE = ("source_bucket", "source_key", "source_etag")

Record = dict[str, Any]


class DirtyRows:
    """Makes files of the records that pass by; of those, no more than some megabytes are held uncompressed."""

    def __init__(self, schema: pa.Schema, families: Iterable[Family]) -> None:
        """Bind the columns of the catalog's table, and the families whose producers say their version."""
        self._schema = schema
        self._families = {family.name: family for family in families}
        self._files: dict[str, ParquetParts] = {}
        self._rows: list[Record] = []
        self._day = ""
        self._size = 0
        self.count = 0

    def watch(self, spans: Iterable[Span], lines: bytes) -> Iterator[Record]:
        """Yield the records of spans, whose lines are joined, and add a row of each."""
        end = 0
        for span in spans:
            start, end = end, end + span.length
            seen = time_of_id(span.chunk_id)
            for number, line in enumerate(_lines(lines, start, end)):
                record = orjson.loads(line)
                self._add(span.chunk_id, number, seen, record)
                yield record

    def files(self) -> dict[str, bytes]:
        """Return the bodies of the files by their day (``YYYY-MM-DD``)."""
        self._write()
        return {day: parts.finish() for day, parts in self._files.items()}

    def _add(self, chunk_id: str, number: int, seen: datetime, record: Record) -> None:
        day = f"{seen:%Y-%m-%d}"
        if day != self._day or self._size > _PART_BYTES:
            self._write()
            self._day = day
        row = self._row_of(record)
        row |= {"id": f"{chunk_id}-{number:06d}", "chunk_id": chunk_id, "first_seen": seen}
        row |= {"year": seen.year, "month": seen.month, "day": seen.day}
        self._rows.append(row)
        self._size += len(row["raw"] or row["raw_base64"] or "") + len(record["errors"]) * 100 + 500
        self.count += 1

    def _row_of(self, record: Record) -> Record:
        first: Mapping[str, str] = record["errors"][0] if record["errors"] else {}
        return {
            **{name: record[name] for name in (*_SAME, *_PLACE)},
            "rule": first.get("rule"),
            "pointer": first.get("pointer"),
            "table_name": record["table"],
            "producer_version": self._version_of(record),
            "source_offset": record["offset"],
            "source_length": record["length"],
            "pieces": record.get("count", 1),
            "raw": record.get("raw"),
            "raw_base64": record.get("raw_base64"),
        }

    def _version_of(self, record: Record) -> str | None:
        family, raw = self._families.get(record["family"] or ""), record.get("raw")
        path = family.version.get(record["kind"]) if family else None
        if not path or raw is None or len(raw) > _PARSED or "count" in record:
            return None
        try:
            version = value_at(orjson.loads(raw), path)
        except orjson.JSONDecodeError:
            return None
        return version[:_LONGEST_VERSION] if isinstance(version, str) else None

    def _write(self) -> None:
        if self._rows:
            if self._day not in self._files:
                self._files[self._day] = ParquetParts(self._schema)
            rows = pa.Table.from_pylist(self._rows, _SCHEMA)
            self._files[self._day].add(as_columns(rows, self._schema))
        self._rows, self._size = [], 0


def _lines(lines: bytes, start: int, end: int) -> Iterator[memoryview]:
    view = memoryview(lines)
    while start < end:
        stop = lines.find(b"\n", start, end)
        yield view[start : stop if stop >= 0 else end]
        start = stop + 1 if stop >= 0 else end
