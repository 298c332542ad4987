import os
import struct
import sysconfig
from pathlib import Path

import orjson
import pytest

from infra.layers.layer_slimming import slim, stripped

LIBRARY = f"orjson{sysconfig.get_config_var('EXT_SUFFIX')}"


def test_a_file_that_is_linked_to_an_environment_stays_whole_there(tmp_path: Path) -> None:
    """Running processes have it in their memory: whoever writes into it kills them."""
    environment, packages = tmp_path / "environment", tmp_path / "packages"
    for folder in (environment, packages):
        folder.mkdir()
    body = (Path(orjson.__file__).parent / LIBRARY).read_bytes() + b"more than a loader reads"
    (environment / LIBRARY).write_bytes(body)
    os.link(environment / LIBRARY, packages / LIBRARY)
    slim(packages)
    assert (packages / LIBRARY).stat().st_size < len(body)
    assert (environment / LIBRARY).read_bytes() == body


HEADER, SEGMENT = 64, 56
SECTIONS_AT, COUNTS_AT = 40, 60


def library(*segments: tuple[int, int], size: int = 1000) -> bytes:
    """A library of `size` bytes whose segments have an offset and a size; its sections are at its end."""
    header = struct.pack(
        "<6s10xHHIQQQIHHHHHH", b"\x7fELF\x02\x01", 3, 183, 1, 0, HEADER, size - 64, 0, 64, 56, len(segments), 64, 1, 1
    )
    table = b"".join(struct.pack("<IIQQQQQQ", 1, 5, offset, 0, 0, length, length, 1) for offset, length in segments)
    return (header + table).ljust(size, b"x")


def test_all_segments_stay_as_they_are_and_what_is_behind_goes() -> None:
    whole = library((0, 300), (500, 200), (400, 50))
    cut = stripped(whole)
    assert len(cut) == 700
    assert cut[HEADER:] == whole[HEADER:700]
    assert cut[:SECTIONS_AT] == whole[:SECTIONS_AT]


def test_a_loader_is_told_that_there_are_no_sections() -> None:
    cut = stripped(library((0, 300)))
    assert struct.unpack_from("<Q", cut, SECTIONS_AT) == (0,)
    assert struct.unpack_from("<HH", cut, COUNTS_AT) == (0, 0)


def test_the_table_of_segments_stays_wherever_it_is() -> None:
    assert len(stripped(library((0, 10)))) == HEADER + SEGMENT


def test_twice_is_once() -> None:
    cut = stripped(library((0, 300)))
    assert stripped(cut) == cut


@pytest.mark.parametrize("body", [b"", b"\x7fELF\x01\x01" + bytes(90), b"\xcf\xfa\xed\xfe" + bytes(90), b"!<arch>\n"])
def test_what_is_no_such_library_stays_as_it_is(body: bytes) -> None:
    assert stripped(body) == body
