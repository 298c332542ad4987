"""Content of source objects: gzip is known by its bytes, damage keeps what came before it, and bombs stop early."""

import gzip
import tracemalloc
import zlib

import pytest

from sluice.event_files.validate.source_objects import Content, ContentTooLargeError, content_of
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
    "gzip in the middle": (b"\n" + gzip.compress(TEXT), b"\n" + gzip.compress(TEXT)),
    "gzip": (gzip.compress(TEXT), TEXT),
    "gzip of nothing": (gzip.compress(b""), b""),
    "stored, not compressed": (gzip.compress(NOISE, 0), NOISE),
    "two members": (gzip.compress(TEXT) + gzip.compress(NOISE), TEXT + NOISE),
    "many members": (gzip.compress(TEXT) * 2_000, TEXT * 2_000),
    "an empty member between": (gzip.compress(TEXT) + gzip.compress(b"") + gzip.compress(TEXT), TEXT * 2),
    "zeros behind": (gzip.compress(TEXT) + b"\0" * 5_000, TEXT),
    "all headers": (with_all_headers(TEXT), TEXT),
}


@pytest.mark.parametrize(("body", "data"), WHOLE.values(), ids=WHOLE.keys())
def test_whole(body: bytes, data: bytes) -> None:
    assert content_of(body, LARGE) == Content(data)


@pytest.mark.parametrize("data", [TEXT, NOISE])
def test_any_truncation_keeps_what_came_before(data: bytes) -> None:
    body = gzip.compress(data)
    lengths = range(2, len(body)) if len(body) < 100 else range(2, len(body), 9_973)
    kept = [content_of(body[:length], LARGE) for length in lengths]
    assert all(content.truncated for content in kept)
    assert all(data.startswith(content.data) for content in kept)
    assert len(kept[-1].data) >= len(data) - 10_000


def test_a_truncated_second_member_keeps_the_first() -> None:
    body = gzip.compress(TEXT) + gzip.compress(NOISE)[:200_000]
    content = content_of(body, LARGE)
    assert content.truncated
    assert content.data.startswith(TEXT + NOISE[:190_000])


@pytest.mark.parametrize("place", [3_000, 150_000, 299_000])
def test_corrupted_bytes_are_reported(place: int) -> None:
    """Blocks that are stored carry no check of their own: the damage shows at the end, by the checksum."""
    body = bytearray(gzip.compress(NOISE, 0))
    body[place] ^= 1
    content = content_of(bytes(body), LARGE)
    assert content.truncated
    assert len(content.data) == len(NOISE)
    assert sum(one != other for one, other in zip(content.data, NOISE, strict=True)) == 1


def before_damage(data: bytes) -> bytes:
    """A gzip member that breaks off behind its data."""
    stream = zlib.compressobj(wbits=31)
    return stream.compress(data) + stream.flush(zlib.Z_FULL_FLUSH) + NO_BLOCK


DAMAGED = {
    "a wrong checksum": (gzip.compress(TEXT)[:-8] + b"oops" + gzip.compress(TEXT)[-4:], TEXT),
    "a wrong length": (gzip.compress(TEXT)[:-4] + b"oops", TEXT),
    "damage behind a text": (before_damage(TEXT) + gzip.compress(TEXT), TEXT),
    "damage behind noise": (before_damage(NOISE) + gzip.compress(TEXT), NOISE),
    **{
        f"{behind!r} behind gzip": (gzip.compress(TEXT) + behind, TEXT)
        for behind in (b"oops", b"\0\0oops", b"{}", b"\x1f\x8b", b"\x1f\x8boops" + b"x" * 100)
    },
    "two bytes of gzip": (b"\x1f\x8b", b""),
    "three bytes of gzip": (b"\x1f\x8b\x08", b""),
    "a name of gzip only": (b"\x1f\x8b" + b"\xff" * 50, b""),
}


@pytest.mark.parametrize(("body", "data"), DAMAGED.values(), ids=DAMAGED.keys())
def test_damage_is_reported_and_keeps_all_that_came_before_it(body: bytes, data: bytes) -> None:
    assert content_of(body, LARGE) == Content(data, truncated=True)


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
    for bomb in (member * 32, member + b"\0", before_damage(bytes(9 << 20))):
        tracemalloc.start()
        with pytest.raises(ContentTooLargeError):
            content_of(bomb, 8 << 20)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 48 << 20
