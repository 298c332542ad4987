"""Content of source objects: codings are known by their bytes, damage keeps what is around it, and bombs stop early."""

import bz2
import gzip
import io
import lzma
import re
import tracemalloc
import zipfile
import zlib

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.event_files.ledger.model import Reason
from sluice.event_files.validate import content as module
from sluice.event_files.validate.content import AccountingError, Content, ContentTooLargeError, content_of
from tests.event_files.unit.validate.contract_events import chance

LARGE = 1 << 24
TEXT = b'{"source":"a","detail":{}}' * 3
NO_BLOCK = b"\x07"  # the last block, of the type that is none
NOISE = chance(1).randbytes(300_000)  # what does not compress is still long when it is compressed


def with_all_headers(data: bytes) -> bytes:
    """A gzip member with a file name, a comment, an extra field and a checksum of its header."""
    plain = gzip.compress(data)
    head = plain[:3] + bytes([0x1E]) + plain[4:10] + b"\x04\x00abcd" + b"events.json\x00" + b"from the stream\x00"
    return head + (zlib.crc32(head) & 0xFFFF).to_bytes(2, "little") + plain[10:]


WHOLE = {
    "plain": (TEXT, TEXT),
    "empty": (b"", b""),
    "text in front": (b"\n" + TEXT + gzip.compress(TEXT), b"\n" + TEXT + TEXT),
    "text between": (gzip.compress(TEXT) + b"\n" + TEXT + gzip.compress(TEXT), TEXT + b"\n" + TEXT + TEXT),
    "text behind": (gzip.compress(TEXT) + b"{}", TEXT + b"{}"),
    "bytes behind": (gzip.compress(TEXT) + b"\0\x1f\x8boops", TEXT + b"\0\x1f\x8boops"),
    "gzip in gzip in gzip": (gzip.compress(gzip.compress(gzip.compress(TEXT))), TEXT),
    "gzip in some members": (gzip.compress(TEXT) + gzip.compress(gzip.compress(TEXT) + b"\n"), TEXT + TEXT + b"\n"),
    "the name of gzip only": (b"\x1f\x8b\xff", b"\x1f\x8b\xff"),
    "zeros, a brace, text": (b"\0\0\0{" + TEXT, b"\0\0\0{" + TEXT),
    "zeros and white space, text": (b"\0\n\0\n" + TEXT, b"\0\n\0\n" + TEXT),
    "white space and zeros, text": (b" \0\0\0 \0\0\0" + TEXT, b" \0\0\0 \0\0\0" + TEXT),
    "text that a tar has there": (b'{"a":"%b ustar "}' % (b"." * 250), b'{"a":"%b ustar "}' % (b"." * 250)),
    "a mark of UTF-16, text": (b"\xff\xfe" + TEXT, b"\xff\xfe" + TEXT),
    "gzip": (gzip.compress(TEXT), TEXT),
    "gzip of nothing": (gzip.compress(b""), b""),
    "stored, not compressed": (gzip.compress(NOISE, 0), NOISE),
    "two members": (gzip.compress(TEXT) + gzip.compress(NOISE), TEXT + NOISE),
    "many members": (gzip.compress(TEXT) * 2_000, TEXT * 2_000),
    "an empty member between": (gzip.compress(TEXT) + gzip.compress(b"") + gzip.compress(TEXT), TEXT * 2),
    "zeros behind": (gzip.compress(TEXT) + b"\0" * 5_000, TEXT + b"\0" * 5_000),
    "all headers": (with_all_headers(TEXT), TEXT),
}


@pytest.mark.parametrize(("body", "data"), WHOLE.values(), ids=WHOLE.keys())
def test_whole(body: bytes, data: bytes) -> None:
    assert content_of(body, LARGE) == Content(data)


@given(
    st.lists(
        st.sampled_from([gzip.compress(TEXT), gzip.compress(TEXT)[:-20], gzip.compress(TEXT)[:11], TEXT, NO_BLOCK])
        | st.binary(max_size=5)
    )
)
def test_the_books_of_an_object_balance_whatever_it_is_made_of(parts: list[bytes]) -> None:
    """What was no content is there with its place, in order, and overlaps with nothing."""
    body, end = b"".join(parts), 0
    for unread in content_of(body, LARGE).unread:
        assert unread.offset >= end
        end = unread.offset + len(unread.raw)
        assert body[unread.offset : end] == unread.raw


def test_bytes_of_an_object_that_are_passed_over_are_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module._Gunzip, "_take", lambda *_: None)
    with pytest.raises(AccountingError, match="Nothing was committed"):
        content_of(TEXT + gzip.compress(TEXT), LARGE)


def damage_of(body: bytes) -> tuple[bytes, int, bytes]:
    """Return the content, and the one place where bytes of the body are damaged."""
    content = content_of(body, LARGE)
    (unread,) = content.unread
    assert unread.reason is Reason.TRUNCATED_GZIP
    (damaged,) = re.findall(r"gzip is damaged at byte ([\d,]+) of the object: \w", unread.message)
    assert unread.offset <= int(damaged.replace(",", "")) <= unread.offset + len(unread.raw)
    assert body[unread.offset : unread.offset + len(unread.raw)] == unread.raw
    return bytes(content.data), unread.offset, bytes(unread.raw)


@pytest.mark.parametrize("data", [TEXT, NOISE])
def test_any_truncation_keeps_what_came_before(data: bytes) -> None:
    body = gzip.compress(data)
    lengths = range(3, len(body)) if len(body) < 100 else range(3, len(body), 9_973)
    for length in lengths:
        kept, offset, raw = damage_of(body[:length])
        assert data.startswith(kept)
        assert (offset, raw) == ((length, b"") if kept else (0, body[:length]))
    assert len(kept) >= len(data) - 10_000


@pytest.mark.parametrize("cut", [1, 8, 9, 20, 40])
def test_a_member_that_is_cut_off_costs_none_of_those_around_it(cut: int) -> None:
    first, member = gzip.compress(NOISE), gzip.compress(TEXT)
    kept, offset, _ = damage_of(first + member[:-cut] + first)
    assert kept.startswith(NOISE)
    assert kept.endswith(NOISE)
    assert TEXT.startswith(kept[len(NOISE) : -len(NOISE)])
    assert len(first) <= offset <= len(first + member)


@pytest.mark.parametrize("place", [3_000, 150_000, 299_000])
def test_corrupted_bytes_are_reported(place: int) -> None:
    """Blocks that are stored carry no check of their own: the damage shows at the end, by the checksum."""
    body = bytearray(gzip.compress(NOISE, 0))
    body[place] ^= 1
    kept, offset, _ = damage_of(bytes(body))
    assert len(kept) == len(NOISE)
    assert sum(one != other for one, other in zip(kept, NOISE, strict=True)) == 1
    assert offset >= len(body) - 8


@pytest.mark.parametrize("part", [slice(-8, -4), slice(-4, None)], ids=["checksum", "length"])
def test_a_wrong_trailer_is_reported(part: slice) -> None:
    body = bytearray(gzip.compress(TEXT))
    body[part] = b"oops"
    assert damage_of(bytes(body))[0] == TEXT


@pytest.mark.parametrize("data", [TEXT, NOISE])
@pytest.mark.parametrize("damage", [NO_BLOCK, NO_BLOCK * 50_000, NO_BLOCK + b"\x1f\x8b\x08" * 1_000])
def test_damage_keeps_what_came_before_it_and_what_comes_behind(data: bytes, damage: bytes) -> None:
    stream = zlib.compressobj(wbits=31)
    before = stream.compress(data) + stream.flush(zlib.Z_FULL_FLUSH)
    behind = gzip.compress(TEXT)
    assert damage_of(before + damage + behind + b"\n" + behind) == (data + TEXT + b"\n" + TEXT, len(before), damage)


def test_damage_within_gzip_in_gzip_is_placed() -> None:
    inner = gzip.compress(NOISE)[:-9]
    (unread,) = content_of(gzip.compress(inner), LARGE).unread
    assert unread.offset == len(inner)
    assert f"byte {len(inner):,} of what was decompressed 1 times" in unread.message


TEXTS = [
    "",
    "{}",
    '{"a":"é🌊\u2028"}\n' * 3,
    '[{"a":1}]',
    '\0\n, [\x1e{"a":1}',
    "# a log\n{}",
    '\x1e{"a":"' + "🌊" * 700_000 + '"}',
]


@pytest.mark.parametrize("coding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_text_in_other_codings_is_read(coding: str, text: str) -> None:
    for body in (text.encode(coding), ("\ufeff" + text).encode(coding)):
        assert content_of(body, LARGE) == content_of(gzip.compress(body), LARGE) == Content(text.encode())


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{}".encode("utf-16") + b"\0", b"{}\xed\xb0\x80"),
        ("{}".encode("utf-16") + b"\x00\xd8" + "{}".encode("utf-16-le"), b"{}\xed\xa0\x80{}"),
        ("{}".encode("utf-32") + b"\0\xdc\0\0" + "{}".encode("utf-32-le"), b"{}\xed\xb0\x80{}"),
        (
            "{}".encode("utf-32") + b"oop\0" + "{}".encode("utf-32-le"),
            b"{}\xed\xb1\xaf\xed\xb1\xaf\xed\xb1\xb0\xed\xb0\x80{}",
        ),
    ],
    ids=["an odd byte", "a lone surrogate", "another one", "beyond Unicode"],
)
def test_bytes_that_are_no_character_become_none_in_utf_8(body: bytes, text: bytes) -> None:
    assert content_of(body, LARGE) == Content(text)
    with pytest.raises(UnicodeDecodeError):
        text.decode()


def zip_of(data: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.json", data)
    return target.getvalue()


LONG = b"".join(b'{"source":"a","id":%d}' % number for number in range(2_000))
SNAPPY = pa.compress(LONG, "snappy", asbytes=True)
FRAMED_SNAPPY = b"\xff\x06\0\0sNaPpY\x01" + (4 + len(TEXT)).to_bytes(3, "little") + b"\0" * 4 + TEXT
UNKNOWN = {
    "zstd": pa.compress(TEXT, "zstd", asbytes=True),
    "LZ4": pa.compress(TEXT, "lz4", asbytes=True),
    "Snappy": SNAPPY,
    "bzip2": bz2.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "LZMA": lzma.compress(TEXT, lzma.FORMAT_ALONE),
    "zip": zip_of(TEXT),
    "zlib": zlib.compress(TEXT),
    "Parquet": b"PAR1" + NOISE + gzip.compress(TEXT) + b"PAR1",
    "Snappy in gzip": gzip.compress(len(LONG).to_bytes(4) + len(SNAPPY).to_bytes(4) + SNAPPY),
    "Snappy in gzip in gzip": gzip.compress(gzip.compress(FRAMED_SNAPPY)),
    "zstd in gzip": gzip.compress(pa.compress(TEXT, "zstd", asbytes=True)),
    "gzip in gzip in gzip in gzip": gzip.compress(gzip.compress(gzip.compress(gzip.compress(TEXT)))),
}


@pytest.mark.parametrize(("name", "body"), UNKNOWN.items(), ids=UNKNOWN.keys())
def test_other_codings_are_named(name: str, body: bytes) -> None:
    content = content_of(body, LARGE)
    (unread,) = content.unread
    assert (content.data, unread.reason, unread.offset) == (b"", Reason.UNKNOWN_CODING, 0)
    assert unread.raw == body
    assert f"the file is {name};" in unread.message
    assert "UTF-8, UTF-16, UTF-32) and gzip of it are read" in unread.message


@pytest.mark.parametrize(
    "compress", [bytes, gzip.compress, lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])]
)
def test_limit(compress: type[bytes]) -> None:
    assert content_of(compress(NOISE), len(NOISE)).data == NOISE
    with pytest.raises(ContentTooLargeError):
        content_of(compress(NOISE), len(NOISE) - 1)


def test_a_bomb_stops_early() -> None:
    """2 GB of zeros in 2 MB: no more than the limit and one step of the decompressor is ever held."""
    member = gzip.compress(bytes(64 << 20))
    stream = zlib.compressobj(wbits=31)
    damaged = stream.compress(bytes(9 << 20)) + stream.flush(zlib.Z_FULL_FLUSH) + NO_BLOCK
    for bomb in (member * 32, member + b"\0", damaged, gzip.compress(member * 32), gzip.compress(damaged)):
        tracemalloc.start()
        with pytest.raises(ContentTooLargeError):
            content_of(bomb, 8 << 20)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 48 << 20
