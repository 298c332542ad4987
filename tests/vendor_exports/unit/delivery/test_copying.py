"""One file, from a server with habits to a bucket that fails: whole or not there, and never fetched twice in vain."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.vendor_exports.delivery import copy_files
from sluice.vendor_exports.delivery.copy_files import FileCopy, NotAsPromisedError
from sluice.vendor_exports.delivery.model import Promise
from sluice.vendor_exports.delivery.ports import AddressExpiredError, DownloadError, TransientDownloadError
from tests.vendor_exports.unit.delivery.memory import MemoryLanding, MemoryUploads, Server, came, md5, promise

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


class Scene:
    """A server that has a file, and a bucket that is to have it."""

    def __init__(self, body: bytes = b"", size: int | None = None, chunk: int = 3) -> None:
        self.server = Server({URL: body}, chunk=chunk)
        self.landing, self.uploads = MemoryLanding(), MemoryUploads()
        self.file: Promise = promise("A", len(body) if size is None else size)

    def copy(self, job: str = "guid") -> bool:
        return FileCopy(self.server, self.landing, self.uploads).copy(self.file, KEY, URL, came(job=job))

    def fail(self, kind: type[DownloadError], words: str) -> None:
        with pytest.raises(kind, match=words) as error:
            self.copy()
        assert type(error.value) is kind
        assert KEY not in self.landing.objects

    def interrupt(self, at: str) -> None:
        """Copy until the bucket fails at something."""
        self.landing.fails_at = lambda what: what.startswith(at)
        with pytest.raises(ConnectionError):
            self.copy()
        self.landing.fails_at = lambda _: False
        self.landing.done.clear()
        self.server.opened.clear()

    def assert_copied(self, etag: str | None = None) -> None:
        body = self.server.bodies[URL]
        assert self.landing.objects[KEY] == (body, came(md5(body) if etag is None else etag))
        assert not self.landing.uploads
        assert not self.uploads.noted


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("chunk", [1, 7, PART, 100])
@pytest.mark.parametrize("lengths", [True, False], ids=["length", "no-length"])
def test_files_of_every_size(size: int, chunk: int, *, lengths: bool) -> None:
    scene = Scene(body_of(size), chunk=chunk)
    scene.server.lengths = lengths
    assert scene.copy()
    scene.assert_copied()
    wanted = [f"put {KEY}"]
    if size > PART:
        wanted = [f"begin {KEY}", *(f"part {number}" for number in range(1, -(-size // PART) + 1)), f"complete {KEY}"]
    assert scene.landing.done == wanted
    assert scene.server.opened == [(URL, 0)]


@given(st.integers(0, 45), st.integers(1, 45), st.integers(0, 45), st.booleans())
def test_any_body_for_any_promise(size: int, chunk: int, promised: int, lengths: bool) -> None:
    scene = Scene(body_of(size), promised, chunk)
    scene.server.lengths = lengths
    scene.server.etag = scene.server.md5 = lambda _: ""
    if promised == size:
        assert scene.copy()
        scene.assert_copied("")
    else:
        with pytest.raises(DownloadError):
            scene.copy()
        assert KEY not in scene.landing.objects


# Not as promised


@pytest.mark.parametrize("size", SIZES)
def test_the_server_says_another_length(size: int) -> None:
    scene = Scene(body_of(size), size + 1)
    scene.fail(NotAsPromisedError, f"{size + 1} bytes were promised, the server has {size}")
    assert scene.landing.done == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("more", [1, PART, 1000])
def test_more_comes_than_was_promised(size: int, more: int) -> None:
    scene = Scene(body_of(size))
    scene.server.lengths = False
    scene.server.etag = scene.server.md5 = lambda _: ""
    scene.server.sends = lambda body: body + bytes(more)
    scene.fail(NotAsPromisedError, f"{size} bytes were promised, more came")
    assert not scene.landing.uploads
    assert not scene.uploads.noted


@pytest.mark.parametrize("size", [size for size in SIZES if size])
def test_a_body_is_cut_off(size: int) -> None:
    scene = Scene(body_of(size))
    scene.server.sends = lambda body: body[:-1]
    scene.fail(TransientDownloadError, f"the body ended after {size - 1} of {size} bytes")
    scene.server.sends = lambda body: body
    assert scene.copy()
    scene.assert_copied()


@pytest.mark.parametrize("size", [1, PART, PART + 1, 3 * PART])
def test_other_bytes_than_the_servers_checksum(size: int) -> None:
    scene = Scene(body_of(size))
    scene.server.sends = lambda body: body[:-1] + b"\xff"
    scene.fail(NotAsPromisedError, "the bytes are not those of the server's checksum")
    assert not scene.landing.uploads
    assert not scene.uploads.noted


@pytest.mark.parametrize("size", [1, 3 * PART])
def test_an_etag_that_is_no_checksum(size: int) -> None:
    scene = Scene(body_of(size))
    scene.server.etag, scene.server.md5 = (lambda _: "abc-3"), (lambda _: "")
    assert scene.copy()
    scene.assert_copied("abc-3")


@pytest.mark.parametrize("error", [AddressExpiredError("dead"), TransientDownloadError("503"), DownloadError("404")])
def test_a_file_that_cannot_be_opened(error: DownloadError) -> None:
    def refuse(_: str) -> None:
        raise error

    scene = Scene(b"abc")
    scene.server.before = refuse
    scene.fail(type(error), str(error))


# Already there


@pytest.mark.parametrize("size", [0, PART, 3 * PART])
def test_the_same_file_is_not_fetched_again(size: int) -> None:
    scene = Scene(body_of(size))
    scene.copy("last hour's")
    scene.landing.done.clear()
    assert not scene.copy()
    assert scene.landing.done == []


@pytest.mark.parametrize("difference", ["etag", "size", "provenance", "no etag"])
def test_another_file_is_replaced(difference: str) -> None:
    body = body_of(PART)
    scene = Scene(body)
    there = {
        "etag": (body, came("other")),
        "size": (body + b"x", came(md5(body))),
        "provenance": (body, None),
        "no etag": (body, came("")),
    }
    scene.landing.objects[KEY] = there[difference]
    if difference == "no etag":
        scene.server.etag = scene.server.md5 = lambda _: ""
    assert scene.copy()
    assert scene.landing.objects[KEY][0] == body


# Where an earlier attempt stopped


@pytest.mark.parametrize("size", [size for size in SIZES if size > PART])
@pytest.mark.parametrize("stop", ["part 1", "part 2", "part 3", "complete"])
def test_a_copy_goes_on_where_an_earlier_one_stopped(size: int, stop: str) -> None:
    parts = -(-size // PART)
    arrived = parts if stop == "complete" else int(stop[-1]) - 1
    if arrived > parts - (stop != "complete"):
        return
    scene = Scene(body_of(size))
    scene.interrupt(stop)
    assert scene.copy()
    scene.assert_copied()
    kept = min(arrived, parts - 1)
    assert scene.server.opened == [(URL, kept * PART)]
    fetched = [what for what in scene.landing.done if what.startswith("part")]
    assert fetched == [f"part {number}" for number in range(kept + 1, parts + 1)]
    assert (f"begin {KEY}" in scene.landing.done) == (kept == 0)


def test_a_copy_is_interrupted_again_and_again() -> None:
    scene = Scene(body_of(5 * PART + 3))
    for number in range(1, 7):
        scene.interrupt(f"part {number}")
    scene.interrupt("complete")
    assert scene.copy()
    scene.assert_copied()


def test_a_body_breaks_off_in_mid_part() -> None:
    scene = Scene(body_of(3 * PART + 5), chunk=4)
    scene.server.breaks_after = lambda sent: TransientDownloadError("reset") if sent == 24 else None
    scene.fail(TransientDownloadError, "reset")
    scene.server.breaks_after = lambda _: None
    assert scene.copy()
    assert scene.server.opened == [(URL, 0), (URL, 2 * PART)]
    scene.assert_copied()


def test_the_file_changed_meanwhile() -> None:
    scene = Scene(body_of(3 * PART))
    scene.interrupt("part 3")
    scene.server.bodies[URL] = other = body_of(3 * PART)[::-1]
    with pytest.raises(TransientDownloadError, match="the file changed since its copy was begun"):
        scene.copy()
    assert not scene.landing.uploads
    assert not scene.uploads.noted
    assert scene.copy()
    assert scene.landing.objects[KEY] == (other, came(md5(other)))


def test_a_server_without_ranges_begins_again() -> None:
    scene = Scene(body_of(3 * PART))
    scene.interrupt("part 3")
    scene.server.ranges = False
    assert scene.copy()
    scene.assert_copied()
    assert scene.landing.done[:2] == [f"abort {KEY}", f"begin {KEY}"]


def test_a_server_without_etags_begins_again() -> None:
    scene = Scene(body_of(3 * PART))
    scene.server.etag = scene.server.md5 = lambda _: ""
    scene.interrupt("part 3")
    assert scene.copy()
    assert scene.server.opened == [(URL, 0)]
    scene.assert_copied("")


def test_the_upload_of_another_job_is_thrown_away() -> None:
    scene = Scene(body_of(3 * PART))
    scene.interrupt("part 3")
    key, (upload_id, provenance) = next(iter(scene.uploads.noted.items()))
    scene.uploads.noted[key] = upload_id, replace(provenance, job_guid="last hour's")
    assert scene.copy()
    assert scene.server.opened == [(URL, 0)]
    scene.assert_copied()


def test_an_upload_that_is_gone_is_begun_again() -> None:
    scene = Scene(body_of(3 * PART))
    scene.interrupt("part 3")
    scene.landing.uploads.clear()
    assert scene.copy()
    scene.assert_copied()


@given(st.integers(PART + 1, 6 * PART), st.sets(st.integers(1, 7)), st.integers(1, 25))
def test_any_parts_may_have_arrived(size: int, arrived: set[int], chunk: int) -> None:
    body = body_of(size)
    scene = Scene(body, chunk=chunk)
    provenance = came(md5(body))
    upload_id = scene.landing.begin(KEY, provenance)
    for number in arrived:
        part = body[(number - 1) * PART : number * PART]
        if part:
            scene.landing.put_part(KEY, upload_id, number, part)
    scene.uploads.note(KEY, upload_id, provenance)
    assert scene.copy()
    scene.assert_copied()


def test_memory_holds_a_part_and_not_a_file() -> None:
    """The server is asked for the next part only when the one before has arrived."""
    scene = Scene(body_of(6 * PART), chunk=PART)
    in_flight: list[int] = []
    scene.server.breaks_after = lambda sent: in_flight.append(sent // PART - len(scene.landing.done) + 1)
    assert scene.copy()
    assert max(in_flight) <= 1
