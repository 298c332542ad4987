"""Codings of files, told by their first bytes."""

import re

_MOST_FRAMING = 100  # characters before the first that tells how characters are written


def _beginning(character: bytes, mark: bytes) -> bytes:
    """Return how a file begins whose characters of ASCII are written so: framing, then a brace or a few others.

    Within UTF-8, no JSON has a NUL behind its brace: what follows framing with NULs is told by that.
    """
    framing, brace = character % rb"[\0-\x20,\[\]]", character % rb"\{"
    text, any_ = character % b"[!-+.-Z^-~-]", character % b"[\t-~]"
    marked = rb"%b(?:%b|%b){0,%d}+(?:%b|\Z)" % (mark, framing, mark, _MOST_FRAMING, text)
    return rb"%b|(?:%b){0,%d}+(?:%b%b|%b(?:%b){3})" % (marked, framing, _MOST_FRAMING, brace, any_, text, any_)


DECODED = {
    "utf-32-le": _beginning(rb"%b\0\0\0", rb"\xff\xfe\0\0"),
    "utf-32-be": _beginning(rb"\0\0\0%b", rb"\0\0\xfe\xff"),
    "utf-16-le": _beginning(rb"%b\0", rb"\xff\xfe"),
    "utf-16-be": _beginning(rb"\0%b", rb"\xfe\xff"),
}
"""Codings of text that are read, as Python names them, and how such files begin."""

_UNKNOWN = {
    "zstd": rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18",
    "bzip2": rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)",
    "Snappy": rb"\xff\x06\0\0sNaPpY|\x82SNAPPY\0",
    "LZ4": rb"\x04\x22\x4d\x18|\x02\x21\x4c\x18",
    "zip": rb"PK(?:\x03\x04|\x05\x06|\x07\x08)",
    "7z": rb"7z\xbc\xaf\x27\x1c",
    "xz": rb"\xfd7zXZ\0",
    "LZMA": rb"\x5d\0\0..\xff{8}",
    "lzip": rb"LZIP\x01",
    "lzop": rb"\x89LZO\0",
    "compress (.Z)": rb"\x1f[\x9d\xa0]",
    "zlib": rb"\x78[\x01\x9c\xda]",
    "RAR": rb"Rar!\x1a\x07",
    "Parquet": rb"PAR[1E].*PAR[1E]\Z",
    "ORC": rb"ORC.*ORC.\Z",
    "Avro": rb"Obj\x01",
    "Arrow": rb"ARROW1\0\0",
    "a Hadoop sequence file": rb"SEQ[\x04-\x06]",
    "tar": rb".{257}ustar[\0 ]",
}
_CODINGS = (*DECODED, *_UNKNOWN)
_BEGINNING = re.compile(b"|".join(b"(%b)" % begin for begin in (*DECODED.values(), *_UNKNOWN.values())), re.DOTALL)
_PLAIN = re.compile(rb'[\x00-\x20\xef\xbb\xbf,\[\]]*\{[ \t\r\n]*["}]')
_LENGTHS = 8  # bytes: of what is uncompressed, of what is compressed
_SNAPPY_ELEMENTS = 1_000  # that must make sense for a file to be Snappy: it has no name


def coding_of(data: bytes | bytearray) -> str | None:
    """Return the coding of a file; None for plain text, gzip, and what is unknown."""
    if _PLAIN.match(data):  # whatever its texts say
        return None
    if known := _BEGINNING.match(data):
        return _CODINGS[(known.lastindex or 0) - 1]
    return "Snappy" if _is_snappy(data) else None


def _is_snappy(data: bytes | bytearray) -> bool:
    """Return whether a file is one block of Snappy, or begins with one as Hadoop writes it, behind two lengths."""
    end = _LENGTHS + int.from_bytes(data[_LENGTHS // 2 : _LENGTHS])
    return _is_block(data) or (end <= len(data) and _is_block(memoryview(data)[_LENGTHS:end]))


def _is_block(data: bytes | bytearray | memoryview) -> bool:
    header = re.match(rb"[\x80-\xff]{0,4}[\x01-\x7f]", data)
    if not header:
        return False
    size = sum((byte & 0x7F) << 7 * place for place, byte in enumerate(header[0]))
    position, written = header.end(), 0
    for _ in range(_SNAPPY_ELEMENTS):
        if position >= len(data):
            return position == len(data) and written == size
        tag, follow = data[position], int.from_bytes(data[position + 1 : position + 5], "little")
        if tag & 3:  # a copy of what was written before
            width = (0, 1, 2, 4)[tag & 3]
            length = (tag >> 2 & 7) + 4 if width == 1 else (tag >> 2) + 1
            back = (tag >> 5 << 8) + (follow & 0xFF) if width == 1 else follow & (1 << 8 * width) - 1
            position += 1 + width
        else:
            width = max(0, (tag >> 2) - 59)
            length = (follow & (1 << 8 * width) - 1 if width else tag >> 2) + 1
            back = 1
            position += 1 + width + length
        written += length
        if not 0 < back <= written or written > size:
            return False
    return True
