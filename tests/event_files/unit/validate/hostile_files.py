"""Files made to cost time, of any size."""

from collections.abc import Callable

EVENT = b'{"version":"0","id":"i","source":"s","detail":{"id":"x"}}'
FILES: dict[str, Callable[[int], bytes]] = {
    "whole events": lambda size: EVENT * (size // len(EVENT)),
    "nested objects": lambda size: b'{"a":' * (size // 5),
    "nested envelopes": lambda size: b'{"version":' * (size // 11),
    "nested arrays": lambda size: b'{"a":' + b"[" * size,
    "open strings": lambda size: b'{"' * (size // 2),
    "open envelopes": lambda size: b'{"id":"' * (size // 7),
    "events without end": lambda size: EVENT[:-1] * (size // len(EVENT)),
    "events without two ends": lambda size: EVENT[:-2] * (size // len(EVENT)),
    "events cut in a string": lambda size: EVENT[:20] * (size // 20),
    "commas between": lambda size: (EVENT + b",") * (size // len(EVENT)),
    "commas between, boundaries far apart": lambda size: ((EVENT + b",") * 35 + b"{}") * (size // 2_000),
    "bytes of no character between": lambda size: (EVENT + b"\xff") * (size // len(EVENT)),
    "bytes of no character within": lambda size: b'{"id":"%b\xff"}' % (b"x" * 200) * (size // 211),
    "byte order marks between": lambda size: (EVENT + b"\xef\xbb\xbf") * (size // len(EVENT)),
    "boundaries in a string": lambda size: b'{"a":"' + b"}{" * (size // 2) + b'"}',
    "boundaries in strings": lambda size: b'{"a":["' + b'}{","' * (size // 5) + b'"]}',
    "boundaries in strings, never closed": lambda size: b'{"a":["' + b'}{","' * (size // 5),
    "objects in an open array": lambda size: b'{"id":[1' + b',{"id":1}' * (size // 9),
    "NaN": lambda size: b'{"id":NaN,"a":"%b"}' % (b"}{ " * 60) * (size // 197),
    "a survivor in damage": lambda size: (b'{"id":[' * 20 + EVENT) * (size // 197),
    "long damage": lambda size: (b'{"id":"' + b"x" * 5_000 + EVENT) * (size // 5_000),
    "empty objects": lambda size: b"{}" * (size // 2),
    "small objects": lambda size: b'{"id":1}\n' * (size // 9),
    "small objects that are none": lambda size: b'{"id":NaN}' * (size // 10),
    "events in a flood": lambda size: (b"{}[]" * 200 + EVENT) * (size // 857),
    "one event": lambda size: b'{"id":"' + "🌊".encode() * (size // 4) + b'"}',
    "one event that never ends": lambda size: b'{"id":"' + b"\\u00e9" * (size // 6),
    "one event with a bad end": lambda size: b'{"id":"' + "🌊".encode() * (size // 4) + b"\xff",
}
