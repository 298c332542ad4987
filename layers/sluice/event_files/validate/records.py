"""What is kept of a piece that does not become a row: its reasons, where it was, and its text as delivered."""

import base64
import codecs
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.reasons import Reason
from sluice.event_files.validate.recognition import Recognition
from sluice.event_files.validate.rules import RuleBreak

_SLICE = 3 << 18  # text is escaped in slices, so that a huge record costs its own size only; 3 divides it for base64


def dirty_line(
    reason: Reason,
    recognition: Recognition,
    breaks: Sequence[RuleBreak],
    event: dict[str, Any] | None,
    place: dict[str, Any],
    raw: memoryview,
) -> bytes:
    """Return a dirty record as one line of JSON; its last member, ``raw``, is the piece as delivered."""
    contract = recognition.contract
    head = {
        "reason": reason,
        "errors": [rule_break._asdict() for rule_break in breaks],
        "table": contract and contract.table,
        "contract_version": contract and contract.version,
        "family": recognition.family,
        "kind": recognition.kind,
        "service": recognition.service,
        "event_id": event_id(event),
        **place,
    }
    return _line(head, raw)


def unrelated_line(place: dict[str, Any], raw: memoryview) -> bytes:
    """Return the record of somebody else's event as one line of JSON."""
    return _line(place, raw)


def place_of(source: SourceObject, start: int, end: int) -> dict[str, Any]:
    """Tell where a piece was: object, byte offset and length (of the decompressed content)."""
    return {
        "source_bucket": source.bucket,
        "source_key": source.key,
        "source_etag": source.etag,
        "offset": start,
        "length": end - start,
    }


def event_id(event: dict[str, Any] | None) -> str | None:
    """Return the event's own id, ``detail.id``, if it has one."""
    detail = event.get("detail") if event else None
    identifier = detail.get("id") if isinstance(detail, dict) else None
    return identifier if isinstance(identifier, str) else None


def _line(head: dict[str, Any], raw: memoryview) -> bytes:
    if len(raw) <= _SLICE:
        return orjson.dumps({**head, **_short(raw)}, option=orjson.OPT_APPEND_NEWLINE)
    return b"".join([orjson.dumps(head)[:-1], *_raw_member(raw), b'"}\n'])


def _short(raw: memoryview) -> dict[str, str]:
    try:
        return {"raw": str(raw, "utf-8")}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(raw).decode()}


def _raw_member(raw: memoryview) -> Iterable[bytes]:
    """Give the text as a JSON string, or in base64 where it is not UTF-8."""
    try:
        return [b',"raw":"', *_escaped(raw)]
    except UnicodeDecodeError:
        return [b',"raw_base64":"', *(base64.b64encode(part) for part in _slices(raw))]


def _escaped(raw: memoryview) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for part in _slices(raw):
        yield orjson.dumps(decoder.decode(part))[1:-1]
    decoder.decode(b"", final=True)


def _slices(raw: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(raw), _SLICE):
        yield raw[start : start + _SLICE]
