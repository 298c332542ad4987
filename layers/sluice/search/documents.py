"""Rows of the profiling log as documents. Of an error they hold kind and place, never what an event held there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from sluice.search.indices import Indices, monthly

_ROWS_AT_A_TIME = 5000
_POSITION = re.compile(r"/\d+(?=/|$)")


@dataclass(frozen=True, slots=True)
class Document:
    """A document and where it goes; the same row has the same id whenever it is loaded."""

    index: str
    id: str
    source: bytes

    @property
    def lines(self) -> bytes:
        """What the bulk API takes for it."""
        return b"%b\n%b\n" % (orjson.dumps({"index": {"_index": self.index, "_id": self.id}}), self.source)


def documents_of(parquet: bytes, indices: Indices) -> Iterator[Document]:
    """Yield the documents of a run's file, in order.

    The file of a run is written once, so a row's place in it identifies the row.
    """
    rows = pq.ParquetFile(pa.BufferReader(parquet)).iter_batches(_ROWS_AT_A_TIME)
    for place, row in enumerate(row for batch in rows for row in batch.to_pylist()):
        yield _document(row, place, indices)


def _document(row: dict[str, Any], place: int, indices: Indices) -> Document:
    index = monthly(indices.alias_of(row["service_name"]), row["timestamp"])
    errors = _errors(orjson.loads(row["errors"]))
    return Document(index, f"{row['workflow_run_id']}-{place}", orjson.dumps({**row, "errors": errors}))


def _errors(by_reason: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """Reason and place of every error, without the sentences: they may quote values."""
    pairs = ((reason, pointer) for reason, pointers in by_reason.items() for pointer in pointers or ("",))
    places = dict.fromkeys((reason, _POSITION.sub("/*", pointer)) for reason, pointer in pairs)
    return [{"reason": reason, "pointer": pointer} for reason, pointer in places]
