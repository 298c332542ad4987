"""Contents made to cost time or memory, of any size: what a file of so many bytes, once it is unpacked, may hold."""

import gzip
import json
import random
import struct
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count, islice

from cli.contracts.generation import generate_event, mutate_event
from sluice.contracts.load import load_registry

Make = Callable[[int], bytes]

_RANDOM = random.Random(16)
_CONTRACTS = {contract.table: contract for contract in load_registry().contracts}
_STE = _CONTRACTS["STE_PRED"]
_CLEAN = [json.dumps(generate_event(contract, _RANDOM)).encode() for contract in _CONTRACTS.values()]
_LEAST = min(_CLEAN, key=len)
_BROKEN = json.dumps(mutate_event(_STE, generate_event(_STE, _RANDOM), _RANDOM)[0]).encode()
_FOREIGN = b'{"version":"0","id":"i","source":"s","detail":{"id":"x"}}'
_OURS = b'{"source":"app.event.file"}'
_WITH_CONTRACT = (
    b'{"source":"app.event.file","detail-type":"EFPredictionEvent","detail":{"prediction":{"service":"microone"}}}'
)
_LARGE = 15 << 20  # bytes of one event


def _of(*pieces: bytes, before: bytes = b"") -> Make:
    """Return the maker of contents that repeat some pieces."""
    block = b"".join(pieces)
    block *= max(1, (1 << 16) // len(block))

    def make(size: int) -> bytes:
        size -= len(before)
        return b"".join((before, block * (size // len(block)), block[: size % len(block)]))

    return make


def _numbered(form: bytes, before: bytes = b"") -> Make:
    """Return the maker of contents whose pieces all differ."""
    return lambda size: before + b"".join(form % n for n in islice(count(10**6), size // (len(form) + 7)))


def _large(event: bytes, item: bytes, most: int = _LARGE) -> Make:
    """Return the maker of large events, each with a list, or a text, of many items."""
    return lambda size: _of(event.replace(b"@", item * (min(size, most) // len(item) - 20)))(size)


def _wrong_items() -> bytes:
    """Return an event of which a hundred rules are broken."""
    event = generate_event(_STE, _RANDOM)
    event["detail"]["prediction"]["output"]["search_terms"] = [1] * 110
    return json.dumps(event).encode()


def _in_utf_16(text: bytes) -> Make:
    return lambda size: _of(text)(size // 2 - 1).decode().encode("utf-16")


def hourly(size: int, first: datetime = datetime(2000, 1, 1, tzinfo=UTC)) -> bytes:
    """Return clean events, each of another hour, from the first on."""
    event = json.loads(_LEAST)
    times = (f"{first + timedelta(hours=number):%Y-%m-%dT%H:%M:%SZ}" for number in range(size // len(_LEAST)))
    return b"".join(json.dumps({**event, "time": time}).encode() for time in times)


def _gzipped(make: Make, layers: int = 1) -> Make:
    """Return the maker of gzips, which count with what is in them."""

    def compress(size: int) -> bytes:
        content = make(size - (size >> 6 if layers > 1 else 0))
        for _ in range(layers):
            content = gzip.compress(content, 1, mtime=0)
        return content

    return compress


def _member(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def _within_one_another(size: int) -> bytes:
    """Gzip members that are cut off, each with a whole one and the next in it, and one long end, which is damaged."""
    body, whole = b"", _member(b"")
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    end = packer.compress(bytes(size)) + packer.flush(zlib.Z_FULL_FLUSH) + b"\xff"
    for _ in range(1_000):
        length = len(whole + body)
        body = whole[:10] + struct.pack("<xHH", length, length ^ 0xFFFF) + whole + body
    return body + end


def _noise(size: int) -> bytes:
    """Bytes that cannot be compressed, and begin no gzip member."""
    return random.Random(1).randbytes(size - (size >> 10)).replace(b"\x1f", b"")


CONTENTS: dict[str, Make] = {
    "empty objects": _of(b"{}"),
    "digits": _of(b"1\n"),
    "empty arrays": _of(b"[]"),
    "newlines": _of(b"\n"),
    "commas": _of(b","),
    "NULs": _of(b"\0"),
    "byte order marks": _of(b"\xef\xbb\xbf"),
    "open brackets": _of(b"["),
    "open braces": _of(b"{"),
    "opened objects": _of(b'{"a":'),
    "ends of objects": _of(b"}"),
    "quotes": _of(b'"'),
    "backslashes": _of(b"\\"),
    "bytes that are no text": _of(b"\xff"),
    "control characters in a text": _of(b"\x01", before=b'{"a":"'),
    "commas behind a fragment": _of(b",", before=b"x"),
    "closing brackets behind a fragment": _of(b"]", before=b"x"),
    "brackets behind a fragment": _of(b"][", before=b"x"),
    "white space in an open object": _of(b" ", before=b'{"a":'),
    "white space in an open event": _of(b" ", before=_FOREIGN[:-1]),
    "white space in braces": _of(b"}" + b" " * 1000 + b"{" + b" " * 1000),
    "bytes between commas": _of(b"x,"),
    "numbers in lines": _numbered(b"%d\n"),
    "numbers in an array": _numbered(b"%d,", before=b"["),
    "small objects": _of(b'{"id":1}\n'),
    "small objects of no JSON": _of(b'{"id":NaN}'),
    "small objects in a flood": _of(b"{}[]" * 200, _FOREIGN),
    "survivors in damage": _of(b'{"id":[' * 20, _FOREIGN),
    "foreign events": _of(_FOREIGN),
    "the smallest foreign events": _of(b'{"source":""}'),
    "foreign events that differ": _numbered(b'{"source":"s","n":%d}'),
    "foreign events with dirty ones": _of(_FOREIGN, _OURS),
    "foreign events with bytes between": _of(_FOREIGN, b"\xff"),
    "foreign events in UTF-16": _in_utf_16(_FOREIGN),
    "the smallest events of ours": _of(_OURS),
    "events with a contract and nothing else": _of(_WITH_CONTRACT),
    "events that break a rule": _of(_BROKEN),
    "events that break a hundred rules": _of(_wrong_items()),
    "broken events with a clean one each": _of(_BROKEN, _LEAST),
    "bytes with a clean event each": _of(b"x", _LEAST),
    "the smallest clean events": _of(_LEAST),
    "clean events": _of(*_CLEAN),
    "clean events of another hour each": hourly,
    "clean events in an array": _of(*(each + b", " for each in _CLEAN), before=b"["),
    "clean events in a sequence": _of(*(b"\x1e" + each + b"\n" for each in _CLEAN)),
    "clean events, NULs between": _of(*(each + b"\0" for each in _CLEAN)),
    "clean events in UTF-16": _in_utf_16(b"".join(_CLEAN)),
    "clean events with many unknown members": _of(_LEAST[:-1] + b"".join(b',"m%d":0.0' % n for n in range(900)) + b"}"),
    "clean events with many numbers": _large(_LEAST[:-1] + b',"x":[@1.0]}', b"1.50,", 4 << 20),
    "a text of one event": _large(b'{"source":"app.event.file","x":"@"}', b"x", 1 << 40),
    "texts with a character of four bytes": _large('{"source":"s","x":"😀@"}'.encode(), b"x", (16 << 20) - 64),
    "names with a character of four bytes": _large(_LEAST[:-1] + ',"😀@":0.0}'.encode(), b"x"),
    "lists in events": _large(b'{"source":"app.event.file","x":[@0]}', b"[],"),
    "objects in events": _large(b'{"source":"app.event.file","x":[@0]}', b"{},"),
    "ids of megabytes": _large(b'{"source":"app.event.file","detail":{"id":"@"}}', b"\\u0001", 8 << 20),
    "nested to the limit": _of(_OURS[:-1] + b',"x":' + b"[" * 900 + b"]" * 900 + b"}"),
    "characters of three bytes in UTF-16": lambda size: ('{"a":"' + "‱" * (size // 3 - 6)).encode("utf-16"),
    "surrogates in UTF-16": lambda size: b'\xff\xfe{\0"\0' + b"\0\xd8" * (size // 3 - 6),
    "like Snappy behind two lengths": lambda size: b"\0\0\0\0%b" % (size - 8).to_bytes(4, "big") + b"x" * (size - 8),
    "empty gzip members": _of(_member(b"")),
    "gzip members of a byte": _of(*(gzip.compress(b"x", mtime=number) for number in range(5_000))),
    "gzip members that never go on": _of(_member(b"x" * 40)[:14]),
    "whole and damaged gzip members": _of(_member(b"x"), _member(b"x" * 40)[:14]),
    "whole and damaged gzip members, text between": _of(_member(b"x"), _member(_noise(60))[:40] + b"\xff" * 30),
    "cut off gzip members within one another": _within_one_another,
    "gzip of noise": _gzipped(_noise),
    "gzip of empty objects": _gzipped(_of(b"{}")),
    "gzip of foreign events": _gzipped(_of(_FOREIGN)),
    "gzip of events with a contract and nothing else": _gzipped(_of(_WITH_CONTRACT)),
    "gzip of empty gzip members": _gzipped(_of(_member(b""))),
    "gzip of gzip of foreign events": _gzipped(_of(_FOREIGN), 2),
}
