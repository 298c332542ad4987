"""Hostile, broken and odd files: each comes to a clear end, none harms its neighbours, no byte is lost."""

import base64
import zlib
from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from sluice.event_files.ledger.model import DIRTY_PREFIX
from sluice.event_files.validate.records import MAX_EVENT_BYTES
from tests.support.moto.stage import MotoStage
from tests.support.sample_events import dump, event, zipped
from tests.support.snapshots import assert_books_balance, committed_records, tables

MAX_FILE_BYTES = 100_000
GOOD = dump(event("MICROONE_EVENT", 1))


def _flushed(*parts: bytes) -> bytes:
    """Compress so that each part can be read before the next has come."""
    stream = zlib.compressobj(wbits=31)
    return b"".join(stream.compress(part) + stream.flush(zlib.Z_SYNC_FLUSH) for part in parts) + stream.flush()


def _with(member: str, text: bytes) -> bytes:
    """Return an event with an unknown member whose value is written so."""
    return GOOD.replace(b'"evaluation":{', b'"evaluation":{"%s":%s,' % (member.encode(), text))


@dataclass(frozen=True)
class Case:
    """A file, and what must become of it: rows, then dirty records as (reason, text as delivered)."""

    file: bytes
    rows: int = 0
    dirty: tuple[tuple[str, bytes], ...] = ()
    content: bytes | None = None
    status: str = "validated"

    @property
    def text(self) -> bytes:
        return self.file if self.content is None else self.content


def _dirty(text: bytes, reason: str = "INVALID_JSON") -> Case:
    """A flawed event between two good ones, which must not suffer."""
    return Case(GOOD + text + b"\n" + GOOD, 2, ((reason, text),))


OTHER = dump(event("MICROTWO_PRED", 2))
CUT = _flushed(GOOD, OTHER[:300], OTHER[300:])[:-20]
READABLE = zlib.decompressobj(wbits=31).decompress(CUT)
assert len(GOOD) + 300 < len(READABLE) < len(GOOD + OTHER)
HEADER = zipped(b"")[:10]
DAMAGE = b"\x07 is no block of deflate"
DAMAGED = _flushed(GOOD)[:-10] + DAMAGE
DEEP = b"[" * 10_000 + b"]" * 10_000

CASES = {
    "empty": Case(b""),
    "blank": Case(b" \r\n\t\n"),
    "a byte order mark": Case(b"\xef\xbb\xbf"),
    "gzip, named nothing like it": Case(zipped(GOOD), 1, content=GOOD),
    "gzip in two members": Case(zipped(GOOD) + zipped(b"\n" + GOOD), 2, content=GOOD + b"\n" + GOOD),
    "gzip padded with zeros": Case(zipped(GOOD) + b"\0" * 512, 1, content=GOOD),
    "gzip, a newline, gzip": Case(zipped(GOOD) + b"\n" + zipped(GOOD), 2, content=GOOD + b"\n" + GOOD),
    "gzip, zeros, gzip": Case(zipped(GOOD) + b"\0" * 99 + zipped(GOOD), 2, content=GOOD + b"\0" * 99 + GOOD),
    "gzip and plain text": Case(zipped(GOOD) + GOOD + b"tail", 2, (("FRAGMENT", b"tail"),), GOOD + GOOD + b"tail"),
    "gzip of gzip": Case(zipped(zipped(GOOD)), 1, content=GOOD),
    "the beginning of gzip": Case(HEADER, 0, (("TRUNCATED_GZIP", HEADER),)),
    "truncated gzip": Case(CUT, 1, (("FRAGMENT", READABLE[len(GOOD) :]), ("TRUNCATED_GZIP", b"")), READABLE),
    "gzip, damage, gzip": Case(DAMAGED + zipped(GOOD), 2, (("TRUNCATED_GZIP", DAMAGE),), GOOD + GOOD),
    "a bomb": Case(zipped(b" " * 5_000_000), 0, (("FILE_TOO_LARGE", b""),), b"", "refused"),
    "a bomb in small members": Case(zipped(b"{" * 1000) * 101, 0, (("FILE_TOO_LARGE", b""),), b"", "refused"),
    "too large": Case(b"x" * (MAX_FILE_BYTES + 1), 0, (("FILE_TOO_LARGE", b""),), b"", "refused"),
    "nested brackets": Case(GOOD + DEEP + GOOD, 2),
    "an array": Case(b"[\n" + GOOD + b",\n" + GOOD + b"\n]\n", 2),
    "a JSON sequence": Case(b"\x1e" + GOOD + b"\n\x1e" + GOOD + b"\n", 2),
    "nested brackets in an event": _dirty(_with("deep", DEEP)),
    "invalid UTF-8": _dirty(GOOD.replace(b"MICROONE", b"\xff\xfe\x80")),
    "a lone surrogate": _dirty(GOOD.replace(b"MICROONE", rb"\ud800")),
    "null": _dirty(b"null", "FRAGMENT"),
    "an object without a source": _dirty(b'{"id":1}', "NOT_AN_EVENT"),
    "a source that is no text": _dirty(b'{"source":["app.event.file"]}', "NOT_AN_EVENT"),
    "neither kind nor service": _dirty(b'{"source":"app.event.file"}', "NO_IDENTIFIER"),
    "a cut event": Case(GOOD[:-1], 0, (("FRAGMENT", GOOD[:-1]),)),
    "byte order marks": Case(b"\xef\xbb\xbf" + GOOD + b"\xef\xbb\xbf\n" + GOOD, 2),
    "UTF-16": Case(GOOD.decode().encode("utf-16"), 1, content=GOOD),
    "UTF-32 in gzip": Case(zipped(GOOD.decode().encode("utf-32-be")), 1, content=GOOD),
    "zstd": Case(b"\x28\xb5\x2f\xfd" + GOOD, 0, (("UNKNOWN_CODING", b"\x28\xb5\x2f\xfd" + GOOD),)),
}


def test_every_case(moto_stage: MotoStage) -> None:
    """All in one batch: none harms the others."""
    moto_stage.limits = replace(moto_stage.limits, max_file_bytes=MAX_FILE_BYTES)
    sources = {name: moto_stage.put(f"x/{name}", case.file) for name, case in CASES.items()}
    assert moto_stage.validate(*sources.values()).failed == {}
    assert_books_balance()
    dirty = committed_records(DIRTY_PREFIX)
    moto_stage.convert()
    written = tables()
    for name, case in CASES.items():
        _assert_in_the_ledger(moto_stage.record(sources[name]), name, case)
        _assert_dirty([record for record in dirty if record["source_key"] == f"x/{name}"], name, case)
        offsets = [row["_source_offset"] for row in written["MICROONE_EVENT"] if row["_source_key"] == f"x/{name}"]
        assert len(offsets) == case.rows, name
        assert all(case.text.startswith(GOOD, offset) for offset in offsets), name
        profile = [row["passed"] for row in written["PROFILING_LOG"] if row["event_filename"] == f"x/{name}"]
        assert sorted(profile) == [False] * len(case.dirty) + [True] * case.rows, name


def _assert_in_the_ledger(record: dict[str, Any], name: str, case: Case) -> None:
    assert record["status"] == case.status, name
    assert record["bytes"] == len(case.file), name
    assert record["events"] == case.rows + len(case.dirty), name
    assert sum(record["clean"].values()) == case.rows, name
    assert record["dirty"] == Counter(reason for reason, _ in case.dirty), name


def _assert_dirty(records: list[dict[str, Any]], name: str, case: Case) -> None:
    found = sorted((record["offset"], record["reason"], _raw(record)) for record in records)
    assert sorted((reason, raw) for _, reason, raw in found) == sorted(case.dirty), name
    for record in records:
        start, end = record["offset"], record["offset"] + record["length"]
        text = case.file if record["reason"] in {"TRUNCATED_GZIP", "UNKNOWN_CODING"} else case.text
        assert text[start:end] == _raw(record), f"{name}: the text is not where the record says"


def _raw(record: dict[str, Any]) -> bytes:
    return record["raw"].encode() if "raw" in record else base64.b64decode(record["raw_base64"])


def test_an_event_larger_than_an_event_may_be(moto_stage: MotoStage) -> None:
    filling = MAX_EVENT_BYTES - len(_with("big", b'""'))
    largest, larger = (_with("big", b'"%s"' % (b"x" * size)) for size in (filling, filling + 1))
    moto_stage.limits = replace(moto_stage.limits, max_file_bytes=3 * MAX_EVENT_BYTES, chunk_bytes=2 * MAX_EVENT_BYTES)
    source = moto_stage.put("x/large", zipped(largest + larger + GOOD))
    assert moto_stage.validate(source).failed == {}
    assert moto_stage.record(source)["clean"] == {"MICROONE_EVENT": 2}
    (dirty,) = committed_records(DIRTY_PREFIX)
    assert (dirty["reason"], dirty["offset"], dirty["length"]) == ("TOO_LARGE", MAX_EVENT_BYTES, MAX_EVENT_BYTES + 1)
    assert _raw(dirty) == larger[:MAX_EVENT_BYTES]  # the object has the rest
    moto_stage.convert()
    assert sorted(row["_source_offset"] for row in tables()["MICROONE_EVENT"]) == [0, 2 * MAX_EVENT_BYTES + 1]
