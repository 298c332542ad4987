"""A file is copied whole or not at all, verified, and resumed where an earlier attempt stopped."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.vendor_exports.delivery import copy_files
from sluice.vendor_exports.delivery.copy_files import FileCopy, UnexpectedContentError
from sluice.vendor_exports.delivery.model import ExpectedFile
from sluice.vendor_exports.delivery.transfers import DownloadError, TransientDownloadError, Upload
from tests.vendor_exports.unit.delivery.memory import MemoryStoredFiles, Server, expected_file, md5, provenance_of

PART = 10
KEY, URL = "folder/A", "https://host/A"
SIZES = [0, 1, PART - 1, PART, PART + 1, 2 * PART - 1, 2 * PART, 2 * PART + 1, 3 * PART]


@pytest.fixture(autouse=True, scope="module")
def _small_parts() -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(copy_files, "PART_BYTES", PART)
        yield


def body_of(size: int) -> bytes:
    return bytes(number % 251 for number in range(size))


class OneFile:
    """A server that has a file, and a bucket to copy it to."""

    def __init__(self, body: bytes = b"", size: int | None = None, chunk: int = 3) -> None:
        self.server = Server({URL: body}, chunk=chunk)
        self.stored = MemoryStoredFiles()
        self.file: ExpectedFile = expected_file("A", len(body) if size is None else size)

    def copy(self, job: str = "guid") -> bool:
        return FileCopy(self.server, self.stored, self.stored).copy(self.file, KEY, URL, provenance_of(job=job))

    def fail(self, kind: type[DownloadError], words: str) -> None:
        with pytest.raises(kind, match=words) as error:
            self.copy()
        assert type(error.value) is kind
        assert KEY not in self.stored.objects

    def interrupt(self, at: str) -> None:
        """Copy until the bucket fails at something."""
        self.stored.fails_at = lambda what: what.startswith(at)
        with pytest.raises(ConnectionError):
            self.copy()
        self.stored.fails_at = lambda _: False
        self.stored.done.clear()
        self.server.opened.clear()

    def assert_copied(self, etag: str | None = None) -> None:
        body = self.server.bodies[URL]
        assert self.stored.objects[KEY] == (body, provenance_of(md5(body) if etag is None else etag))
        self.assert_no_upload()

    def assert_no_upload(self) -> None:
        assert not self.stored.uploads
        assert not self.stored.noted


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("chunk", [1, 7, 100])
@pytest.mark.parametrize("lengths", [True, False], ids=["length", "no-length"])
def test_files_of_every_size(size: int, chunk: int, *, lengths: bool) -> None:
    one = OneFile(body_of(size), chunk=chunk)
    one.server.lengths = lengths
    assert one.copy()
    one.assert_copied()
    wanted = [f"put {KEY}"]
    if size > PART:
        wanted = [f"begin {KEY}", *(f"part {number}" for number in range(1, -(-size // PART) + 1)), f"complete {KEY}"]
    assert one.stored.done == wanted
    assert one.server.opened == [(URL, 0)]


# Unexpected content


@pytest.mark.parametrize("size", SIZES)
def test_the_server_says_another_length(size: int) -> None:
    one = OneFile(body_of(size), size + 1)
    one.fail(UnexpectedContentError, f"{size + 1} bytes were promised, the server has {size}")
    assert one.stored.done == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("more", [1, PART, 1000])
def test_more_bytes_come_than_expected(size: int, more: int) -> None:
    one = OneFile(body_of(size))
    one.server.lengths = False
    one.server.etag = one.server.md5 = lambda _: ""
    one.server.sends = lambda body: body + bytes(more)
    one.fail(UnexpectedContentError, f"{size} bytes were promised, more came")
    one.assert_no_upload()


@pytest.mark.parametrize("size", [size for size in SIZES if size])
def test_a_body_is_cut_off(size: int) -> None:
    one = OneFile(body_of(size))
    one.server.sends = lambda body: body[:-1]
    one.fail(TransientDownloadError, f"the body ended after {size - 1} of {size} bytes")
    assert all(len(body) == PART for *_, parts in one.stored.uploads.values() for body in parts.values())
    one.server.sends = lambda body: body
    assert one.copy()
    one.assert_copied()


@pytest.mark.parametrize("size", [1, PART, PART + 1, 3 * PART])
def test_other_bytes_than_the_servers_checksum(size: int) -> None:
    one = OneFile(body_of(size))
    one.server.sends = lambda body: body[:-1] + b"\xff"
    one.fail(UnexpectedContentError, "the bytes are not those of the server's checksum")
    one.assert_no_upload()


@pytest.mark.parametrize("size", [1, 3 * PART])
def test_an_etag_that_is_no_checksum(size: int) -> None:
    one = OneFile(body_of(size))
    one.server.etag, one.server.md5 = (lambda _: "abc-3"), (lambda _: "")
    assert one.copy()
    one.assert_copied("abc-3")


# Already there


@pytest.mark.parametrize("size", [0, PART, 3 * PART])
def test_the_same_file_is_not_fetched_again(size: int) -> None:
    one = OneFile(body_of(size))
    one.copy("last hour's")
    one.stored.done.clear()
    assert not one.copy()
    assert one.stored.done == []


@pytest.mark.parametrize("difference", ["etag", "size", "provenance", "no etag"])
def test_another_file_is_replaced(difference: str) -> None:
    body = body_of(PART)
    one = OneFile(body)
    there = {
        "etag": (body, provenance_of("other")),
        "size": (body + b"x", provenance_of(md5(body))),
        "provenance": (body, None),
        "no etag": (body, provenance_of("")),
    }
    one.stored.objects[KEY] = there[difference]
    if difference == "no etag":
        one.server.etag = one.server.md5 = lambda _: ""
    assert one.copy()
    assert one.stored.objects[KEY][0] == body


# Resumed copies


def interrupted() -> OneFile:
    """A file of which two of three parts arrived."""
    one = OneFile(body_of(3 * PART))
    one.interrupt("part 3")
    return one


def test_a_body_breaks_off_in_mid_part() -> None:
    one = OneFile(body_of(3 * PART + 5), chunk=4)
    one.server.breaks_after = lambda sent: TransientDownloadError("reset") if sent == 24 else None
    one.fail(TransientDownloadError, "reset")
    one.server.breaks_after = lambda _: None
    assert one.copy()
    assert one.server.opened == [(URL, 0), (URL, 2 * PART)]
    one.assert_copied()


def test_a_file_that_changed_is_copied_from_the_start() -> None:
    one = interrupted()
    one.server.bodies[URL] = other = body_of(3 * PART)[::-1]
    assert one.copy()
    one.assert_no_upload()
    assert one.stored.objects[KEY] == (other, provenance_of(md5(other)))


@pytest.mark.parametrize("size", [3 * PART + 1, 2 * PART, 1])
def test_a_file_that_has_another_size_now_is_not_gone_on_with(size: int) -> None:
    one = interrupted()
    etag = md5(one.server.bodies[URL])
    one.server.bodies[URL] = body_of(size)
    one.server.etag = lambda _: etag
    one.fail(UnexpectedContentError, f"{3 * PART} bytes were promised, the server has {size}")
    one.assert_no_upload()


def test_a_server_without_ranges_begins_again() -> None:
    one = interrupted()
    one.server.ranges = False
    assert one.copy()
    one.assert_copied()
    assert one.stored.done[:2] == [f"abort {KEY}", f"begin {KEY}"]


def test_a_server_without_etags_begins_again() -> None:
    one = OneFile(body_of(3 * PART))
    one.server.etag = one.server.md5 = lambda _: ""
    one.interrupt("part 3")
    assert one.copy()
    assert one.server.opened == [(URL, 0)]
    one.assert_copied("")


def test_the_upload_of_another_job_is_aborted() -> None:
    one = interrupted()
    upload = one.stored.noted[KEY]
    one.stored.note(KEY, replace(upload, provenance=replace(upload.provenance, job_guid="last hour's")))
    assert one.copy()
    assert one.server.opened == [(URL, 0)]
    one.assert_copied()


def test_an_upload_that_is_gone_is_begun_again() -> None:
    one = interrupted()
    one.stored.uploads.clear()
    assert one.copy()
    one.assert_copied()


@given(st.integers(PART + 1, 6 * PART), st.sets(st.integers(1, 7)), st.integers(1, 25))
def test_a_copy_resumes_behind_the_parts_that_arrived(size: int, arrived: set[int], chunk: int) -> None:
    """Up to the first gap; the last part is sent in any case."""
    body, parts = body_of(size), -(-size // PART)
    one = OneFile(body, chunk=chunk)
    provenance = provenance_of(md5(body))
    upload_id = one.stored.begin(KEY, provenance)
    for number in arrived & set(range(1, parts + 1)):
        one.stored.put_part(KEY, upload_id, number, body[(number - 1) * PART : number * PART])
    one.stored.note(KEY, Upload(upload_id, provenance))
    one.stored.done.clear()
    assert one.copy()
    one.assert_copied()
    kept = next(number for number in range(parts) if number + 1 not in arrived or number + 1 == parts)
    assert one.server.opened == [(URL, kept * PART)]
    fetched = [what for what in one.stored.done if what.startswith("part")]
    assert fetched == [f"part {number}" for number in range(kept + 1, parts + 1)]
    assert (f"begin {KEY}" in one.stored.done) == (kept == 0)
