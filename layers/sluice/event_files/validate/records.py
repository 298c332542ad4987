"""Records of pieces that become no row: the text as delivered, its place, and why."""

import base64
import codecs
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from sluice.contracts.family import Family, value_at
from sluice.event_files.ledger.model import Reason, SourceObject
from sluice.event_files.validate.event_processor import Recognition
from sluice.event_files.validate.rules import RuleBreak

MAX_EVENT_BYTES = 16 << 20
"""Most bytes of an event, for it must fit a function many times over; a larger one is dirty."""

_LONGEST_ID = 1024  # characters; what is longer is in the text, and no id
_USUAL_ID = ("detail", "id")  # of an event of no family
_SLICE = 3 << 18  # text is escaped in slices, so that a huge record costs its own size only; 3 divides it for base64
_MOST_ESCAPED = 2  # bytes for each of a huge text
_LOOKED_AT = 1 << 20  # bytes of a piece in which its flaw is looked for
_CUT_TAIL = 12  # where that cuts a piece, a character or an escape in its last bytes is no flaw
_CONTINUED = range(0x80, 0xC0)  # bytes within a character
_SURROGATE = re.compile(rb"\xed[\xa0-\xbf]")  # in UTF-8, where there are none
_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def flaws_of(start: int, raw: memoryview) -> list[RuleBreak]:
    """Return why a piece that begins as an object does, at byte `start` of the content, is no JSON."""
    head = raw[:_LOOKED_AT]
    if bytes(raw[:1]) != b"{":
        return []
    try:
        orjson.loads(head)
    except orjson.JSONDecodeError as error:
        at, flaw = _flaw(head, error)
        if len(head) == len(raw) or at < len(head) - _CUT_TAIL:
            return [RuleBreak("json", "", f"byte {start + at:,} of the content: {flaw}")]
    return []


def _flaw(raw: memoryview, error: orjson.JSONDecodeError) -> tuple[int, str]:
    try:
        at = len(str(raw, "utf-8")[: error.pos].encode())
    except UnicodeDecodeError as invalid:
        at = invalid.start
        surrogate = _SURROGATE.match(raw, at)
        return at, "a lone surrogate, or what is no character in UTF-16 or UTF-32" if surrogate else "it is not UTF-8"
    if "surrogate" in error.msg and (escape := _LONE_SURROGATE.match(raw, at)):
        return at, f"lone surrogate {escape[0].decode()}, which is no character ({error.msg})"
    return at, error.msg


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
        "family": recognition.family and recognition.family.name,
        "kind": recognition.kind,
        "service": recognition.service,
        "event_id": event_id(event, recognition.family),
        **place,
    }
    return record_line(head, raw)


def place_of(source: SourceObject, start: int, end: int) -> dict[str, Any]:
    """Return the place of a piece: its object, byte offset and length (of the decompressed content)."""
    return {
        "source_bucket": source.bucket,
        "source_key": source.key,
        "source_etag": source.etag,
        "offset": start,
        "length": end - start,
    }


def event_id(event: dict[str, Any] | None, family: Family | None) -> str | None:
    """Return the event's own id, where its family has it, if it has one that may be one."""
    identifier = value_at(event, family.id if family else _USUAL_ID)
    return identifier if isinstance(identifier, str) and len(identifier) <= _LONGEST_ID else None


def record_line(head: dict[str, Any], raw: memoryview) -> bytes:
    """Return a record as one line of JSON: the members of `head`, then the piece as delivered, or its beginning.

    What is beyond `MAX_EVENT_BYTES` is no event: the record says where it is.
    """
    if len(raw) > MAX_EVENT_BYTES:
        raw = _begun(raw)
    if len(raw) <= _SLICE:
        return orjson.dumps({**head, **_short(raw)}, option=orjson.OPT_APPEND_NEWLINE)
    return b"".join([orjson.dumps(head)[:-1], *_raw_member(raw), b'"}\n'])


def _short(raw: memoryview) -> dict[str, str]:
    try:
        return {"raw": str(raw, "utf-8")}
    except UnicodeDecodeError:
        return {"raw_base64": base64.b64encode(raw).decode()}


def _begun(raw: memoryview) -> memoryview:
    """Return as many bytes as an event may have, less those of a character that they cut."""
    end = MAX_EVENT_BYTES
    while raw[end] in _CONTINUED and end > MAX_EVENT_BYTES - _CUT_TAIL:
        end -= 1
    return raw[:end]


def _raw_member(raw: memoryview) -> Iterable[bytes]:
    """Return the text as a JSON string, or in base64 where it is not UTF-8, or of characters that take six each."""
    try:
        return [b',"raw":"', *_escaped(raw)]
    except UnicodeError:
        return [b',"raw_base64":"', *(base64.b64encode(part) for part in _slices(raw))]


def _escaped(raw: memoryview) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = 0
    for part in _slices(raw):
        escaped = orjson.dumps(decoder.decode(part))[1:-1]
        size += len(escaped)
        if size > _MOST_ESCAPED * len(raw):
            raise UnicodeError
        yield escaped
    decoder.decode(b"", final=True)


def _slices(raw: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(raw), _SLICE):
        yield raw[start : start + _SLICE]
