"""Contents made to cost time or memory, of any size: what a file of so many bytes unpacked may hold."""

import gzip
import json
import random
import zlib
from collections.abc import Callable
from itertools import count, islice

from cli.contracts.generation import generate_event, mutate_event
from sluice.contracts.load import load_registry

_RANDOM = random.Random(16)
_CONTRACTS = sorted(load_registry().contracts, key=lambda contract: contract.table)
_CLEAN = [min((json.dumps(generate_event(c, _RANDOM)).encode() for _ in range(20)), key=len) for c in _CONTRACTS]
_LEAST = min(_CLEAN, key=len)
_DIRTY = json.dumps(mutate_event(_CONTRACTS[0], generate_event(_CONTRACTS[0], _RANDOM), _RANDOM)[0]).encode()
_SMALLEST = b'{"source":"app.event.file","detail-type":"EFPredictionEvent","detail":{"prediction":{"service":"microone"}}}'
_FOREIGN = b'{"version":"0","id":"i","source":"s","detail":{"id":"x"}}'


def _of(*pieces: bytes) -> Callable[[int], bytes]:
    """Return the maker of contents that repeat some pieces."""
    block = b"".join(pieces)
    block *= max(1, (1 << 16) // len(block))
    return lambda size: block * (size // len(block)) + block[: size % len(block)]


def _numbered(form: bytes) -> Callable[[int], bytes]:
    """Return the maker of contents of pieces that all differ."""
    return lambda size: b"".join(form % number for number in islice(count(10**6), size // len(form % 10**6)))


def _long_reasons(size: int) -> bytes:
    """Events of many items, all of them wrong."""
    event = generate_event(next(each for each in _CONTRACTS if each.table == "MICROTHREE_PRED"), random.Random(1))
    event["detail"]["prediction"]["output"]["search_terms"] = [1] * 110
    return _of(json.dumps(event).encode())(size)


def _empty_members(size: int) -> bytes:
    return _of(gzip.compress(b"", mtime=0))(size)


def _differing_members(size: int) -> bytes:
    """Members of one byte each, whose headers differ."""
    some = b"".join(gzip.compress(bytes([number % 256]), mtime=number) for number in range(5_000))
    return _of(some)(size)


def _unfolding(block: bytes, layers: int = 1) -> Callable[[int], bytes]:
    """Return the maker of gzips of a repeated block."""

    def make(size: int) -> bytes:
        content = _of(block)(size)
        for _ in range(layers):
            content = gzip.compress(content, mtime=0)
        return content

    return make


def _damaged_members(size: int) -> bytes:
    """Beginnings of gzip members that never go on."""
    return _of(gzip.compress(b"x" * 40, mtime=0)[:14])(size)


def _noise(size: int) -> bytes:
    """Compressed bytes of what cannot be compressed."""
    return gzip.compress(random.Random(1).randbytes(size - (size >> 10)), 1)


CONTENTS: dict[str, Callable[[int], bytes]] = {
    "empty objects": _of(b"{}"),
    "digits": _of(b"1\n"),
    "empty arrays": _of(b"[]"),
    "newlines": _of(b"\n"),
    "commas": _of(b","),
    "open brackets": _of(b"["),
    "open braces": _of(b"{"),
    "opened objects": _of(b'{"a":'),
    "quotes": _of(b'"'),
    "backslashes": _of(b"\\"),
    "control characters in a text": lambda size: b'{"a":"' + b"\x01" * size,
    "NULs": _of(b"\0"),
    "byte order marks": _of(b"\xef\xbb\xbf"),
    "framing behind a fragment": lambda size: b"x" + _of(b",")(size),
    "closing brackets behind a fragment": lambda size: b"x" + _of(b"]")(size),
    "brackets behind a fragment": lambda size: b"x" + _of(b"][")(size),
    "white space in an open object": lambda size: b'{"a":' + _of(b" ")(size),
    "white space in an open event": lambda size: _FOREIGN[:-1] + _of(b" ")(size),
    "white space in braces": _of(b"}" + b" " * 1000 + b"{" + b" " * 1000),
    "ends of objects": _of(b"}"),
    "bytes that are no text": _of(b"\xff"),
    "texts of no event": _of(b"x"),
    "dirty bytes between commas": _of(b"x,"),
    "dirty bytes between newlines, one by one": _numbered(b"%d\n"),
    "numbers in an array": lambda size: b"[" + _numbered(b"%d,")(size),
    "small objects": _of(b'{"id":1}\n'),
    "small objects of no JSON": _of(b'{"id":NaN}'),
    "foreign events": _of(_FOREIGN),
    "the smallest foreign events": _of(b'{"source":""}'),
    "foreign events that differ": _numbered(b'{"source":"s","n":%d}'),
    "the smallest events of ours": _of(b'{"source":"app.event.file"}'),
    "events with a contract only": _of(_SMALLEST),
    "events with long reasons": _long_reasons,
    "dirty events": _of(_DIRTY),
    "dirty events with a clean one each": _of(_DIRTY, _LEAST),
    "dirty bytes with a clean event each": _of(b"x", _LEAST),
    "foreign events with dirty ones": _of(_FOREIGN, b'{"source":"app.event.file"}'),
    "foreign events with bytes between": _of(_FOREIGN, b"\xff"),
    "the smallest clean events": _of(_LEAST),
    "clean events": _of(*_CLEAN),
    "clean events in an array": lambda size: b"[" + _of(*(each + b", " for each in _CLEAN))(size) + b"]",
    "clean events in a sequence": _of(*(b"\x1e" + each + b"\n" for each in _CLEAN)),
    "clean events, NULs between": _of(*(each + b"\0" for each in _CLEAN)),
    "clean events in UTF-16": lambda size: _of(*_CLEAN)(size // 2).decode().encode("utf-16"),
    "foreign events in UTF-16": lambda size: _of(_FOREIGN)(size // 2).decode().encode("utf-16"),
    "characters of three bytes in UTF-16": lambda size: ('{"a":"' + "‱" * (size // 3)).encode("utf-16"),
    "surrogates in UTF-16": lambda size: b'\xff\xfe{\0"\0' + b"\0\xd8" * (size // 3),
    "events in a flood": _of(b"{}[]" * 200, _FOREIGN),
    "survivors in damage": _of(b'{"id":[' * 20, _FOREIGN),
    "one event": lambda size: b'{"source":"app.event.file","x":"' + b"x" * size + b'"}',
    "an event of lists in lists": lambda size: b'{"source":"app.event.file","x":[' + b"[]," * (min(size, 15 << 20) // 3) + b"[]]}",
    "nested to the limit": _of(b'{"source":"app.event.file","x":' + b"[" * 900 + b"]" * 900 + b"}"),
    "an event of empty objects": lambda size: _of(b'{"source":"app.event.file","x":[' + b"{}," * (min(size, 15 << 20) // 3) + b"{}]}")(size),
    "events of numbers as written": lambda size: _of(_CLEAN[8][:-1] + b',"x":[' + b"1.50," * (min(size, 4 << 20) // 5) + b"1.0]}")(size),
    "events with an id of megabytes": lambda size: _of(b'{"source":"app.event.file","detail":{"id":"%b"}}' % (b"\\u0001" * (min(size, 8 << 20) // 6)))(size),
    "events with members of unknown names": lambda size: _of(_CLEAN[0][:-1] + b"".join(b',"m%d":0.0' % n for n in range(300)) + b"}")(size),
    "like Snappy behind lengths": lambda size: b"\0\0\0\0" + (size - 8).to_bytes(4, "big") + b"x" * (size - 8),
    "whole and damaged gzip members": lambda size: _of(gzip.compress(b"x", mtime=0), gzip.compress(b"x" * 40, mtime=0)[:14])(size),
    "gzip members of two sizes, damaged": lambda size: _of(gzip.compress(b"x", mtime=0), gzip.compress(random.Random(1).randbytes(60), mtime=0)[:40] + b"\xff" * 30)(size),
    "empty gzip members": _empty_members,
    "gzip members of a byte": _differing_members,
    "gzip members that never go on": _damaged_members,
    "gzip of noise": _noise,
    "gzip of empty objects": _unfolding(b"{}"),
    "gzip of foreign events": _unfolding(_FOREIGN),
    "gzip of the smallest events": _unfolding(_SMALLEST),
    "gzip of empty gzip members": _unfolding(gzip.compress(b"", mtime=0)),
    "gzip of gzip of foreign events": _unfolding(_FOREIGN, 2),
}
