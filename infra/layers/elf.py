"""Shared libraries without what only debuggers and linkers read: symbols, their names, the table of sections.

A loader reads segments only, and the linker puts all else behind them: cutting there does what `strip` does, but needs
no tool that knows the target's machine.
"""

from __future__ import annotations

import struct

_MAGIC = b"\x7fELF\x02\x01"  # 64 bit, little endian
_HEADER_SIZE = 64
_SEGMENTS_AT, _SECTIONS_AT, _SEGMENT_SIZE_AT, _SECTION_COUNT_AT = 32, 40, 54, 60
_OFFSET_IN_SEGMENT, _SIZE_IN_SEGMENT = 8, 32


def stripped(library: bytes) -> bytes:
    """Return the library as far as a loader reads it; what is no 64-bit ELF stays as it is."""
    if not library.startswith(_MAGIC):
        return library
    shorter = bytearray(library[: _loaded(library)])
    struct.pack_into("<Q", shorter, _SECTIONS_AT, 0)
    struct.pack_into("<HH", shorter, _SECTION_COUNT_AT, 0, 0)
    return bytes(shorter)


def _loaded(library: bytes) -> int:
    """Where the last segment ends."""
    (table,) = struct.unpack_from("<Q", library, _SEGMENTS_AT)
    size, count = struct.unpack_from("<HH", library, _SEGMENT_SIZE_AT)
    end = int(table) + int(size) * int(count)
    return max([_HEADER_SIZE, end, *(_end(library, entry) for entry in range(table, end, size or 1))])


def _end(library: bytes, entry: int) -> int:
    (offset,) = struct.unpack_from("<Q", library, entry + _OFFSET_IN_SEGMENT)
    (size,) = struct.unpack_from("<Q", library, entry + _SIZE_IN_SEGMENT)
    return int(offset) + int(size)
