"""Batches: what becomes of each file, whatever becomes of the others."""

from collections import Counter
from dataclasses import asdict
from threading import Barrier

import orjson
import pytest

from sluice.vendor_exports.client.answers import Offer
from sluice.vendor_exports.client.connection import Pauses
from sluice.vendor_exports.client.errors import VendorUnavailableError
from sluice.vendor_exports.delivery.batches import BatchCopy
from sluice.vendor_exports.delivery.copy_files import FileCopy
from sluice.vendor_exports.delivery.model import BatchResult, CopyBatch, Promise, Provenance
from sluice.vendor_exports.delivery.ports import AddressExpiredError, DownloadError, TransientDownloadError
from sluice.vendor_exports.delivery.presigned_urls import AddressBook
from sluice.vendor_exports.delivery.slots import Environment
from tests.vendor_exports.unit.delivery.memory import (
    FOLDER,
    GUID,
    MemoryLanding,
    MemoryUploads,
    Server,
    Vendor,
    came,
    md5,
    offer,
    promise,
)


class Scene:
    """Files A, B, C at the vendor's, with addresses that end in the number of the list they come from."""

    def __init__(self, names: str = "ABC", lists: int = 3) -> None:
        self.bodies = {name: name.encode() * 5 for name in names}
        self.files = tuple(promise(name, 5) for name in names)
        self.vendor = Vendor([self.listed(number) for number in range(1, lists + 1)])
        bodies = {f"{name}/{number}": body for name, body in self.bodies.items() for number in range(1, lists + 1)}
        self.server = Server(bodies)
        self.landing = MemoryLanding()
        self.pauses: list[float] = []
        self.seconds = 0.0

    def listed(self, number: int) -> list[Offer]:
        return [offer(name, 5, f"{name}/{number}") for name in self.bodies]

    def run(self, files: tuple[Promise, ...] | None = None, round_number: int = 1) -> BatchResult:
        copy = FileCopy(self.server, self.landing, MemoryUploads())
        book = AddressBook(self.vendor, Environment.TEST, GUID, self.tick)
        batch = CopyBatch("01-0000", round_number, GUID, files or self.files)
        pauses = Pauses(1.0, self.pauses.append)
        return BatchCopy(copy, self.landing, FOLDER, "one", book, pauses).run(batch)

    def tick(self) -> float:
        self.seconds += 1
        return self.seconds

    def refuse(self, error: DownloadError, *urls: str, times: int = 99) -> None:
        left = Counter(dict.fromkeys(urls, times))

        def before(url: str) -> None:
            left[url] -= 1
            if left[url] >= 0:
                raise error

        self.server.before = before

    def landed(self) -> dict[str, bytes]:
        return {key.removeprefix(FOLDER): body for key, (body, _) in self.landing.objects.items()}


EXPIRED = AddressExpiredError("its address is not accepted (403), a new one neither")


def test_all_files_are_copied_with_one_list() -> None:
    scene = Scene()
    assert scene.run() == BatchResult((), {})
    assert scene.landed() == scene.bodies
    assert {provenance for _, provenance in scene.landing.objects.values()} == {
        came(md5(body)) for body in scene.bodies.values()
    }
    assert len(scene.vendor.asked) == 1


def test_what_lies_there_is_not_even_asked_for() -> None:
    scene = Scene()
    scene.run()
    scene.server.opened.clear()
    scene.vendor.asked.clear()
    assert scene.run() == BatchResult((), {})
    assert (scene.server.opened, scene.vendor.asked) == ([], [])


@pytest.mark.parametrize(
    ("body", "provenance", "is_kept"),
    [
        (b"AAAAA", came(md5(b"AAAAA"), job="another"), True),
        (b"AAAAA", came("other", job="another"), False),
        (b"XXXXX", None, False),
        (b"AAAA", came(md5(b"AAAAA")), False),
    ],
)
def test_what_lies_there_of_others(body: bytes, provenance: Provenance | None, *, is_kept: bool) -> None:
    scene = Scene("A")
    scene.landing.objects[f"{FOLDER}A"] = body, provenance
    assert scene.run() == BatchResult(("A",) if is_kept else (), {})
    assert bool(scene.landing.done) is not is_kept
    assert scene.landed() == scene.bodies


def test_a_dead_address_is_replaced() -> None:
    scene = Scene()
    together = Barrier(3, timeout=30)

    def before(url: str) -> None:
        if url.endswith("1"):
            together.wait()
        if url in {"A/1", "B/1"}:
            raise EXPIRED

    scene.server.before = before
    assert scene.run() == BatchResult((), {})
    assert scene.landed() == scene.bodies
    refetched = {key[-1]: provenance.refetched for key, (_, provenance) in scene.landing.objects.items() if provenance}
    assert refetched == {"A": True, "B": True, "C": False}
    assert len(scene.vendor.asked) == 2, "one new list for both"
    assert scene.pauses == []


def test_an_address_dies_after_another_trouble() -> None:
    scene = Scene("A")
    errors: list[DownloadError] = [TransientDownloadError("reset"), EXPIRED, TransientDownloadError("reset")]

    def before(_: str) -> None:
        if errors:
            raise errors.pop(0)

    scene.server.before = before
    assert scene.run() == BatchResult((), {})
    assert [url for url, _ in scene.server.opened] == ["A/1", "A/1", "A/2", "A/2"]


def test_addresses_that_are_dead_at_once() -> None:
    scene = Scene()
    scene.refuse(EXPIRED, "A/1", "A/2", "A/3")
    assert scene.run() == BatchResult((), {"A": "its address is not accepted (403), a new one neither"})
    assert len(scene.vendor.asked) == 2
    assert set(scene.landed()) == {"B", "C"}


def test_a_file_that_is_not_listed_any_more() -> None:
    scene = Scene("AB")
    scene.vendor.script = [scene.listed(1), [offer("B", 5, "B/2")]]
    scene.refuse(EXPIRED, "A/1")
    unlisted = promise("D", 5)
    result = scene.run((*scene.files, unlisted))
    assert result.reasons == dict.fromkeys("AD", "the vendor does not list it any more")


def test_trouble_that_passes_is_waited_for() -> None:
    scene = Scene("A")
    scene.refuse(TransientDownloadError("the server answered 503, again and again"), "A/1", times=3)
    assert scene.run() == BatchResult((), {})
    assert len(scene.pauses) == 3
    assert all(pause <= most for pause, most in zip(scene.pauses, (1, 2, 4), strict=True))


def test_one_file_that_cannot_be_had_leaves_the_others_alone() -> None:
    scene = Scene()
    scene.refuse(TransientDownloadError("the server answered 503, again and again"), "B/1")
    assert scene.run() == BatchResult((), {"B": "the server answered 503, again and again"})
    assert set(scene.landed()) == {"A", "C"}
    assert len(scene.pauses) == 3


def test_a_file_that_is_not_as_promised_is_not_fetched_again() -> None:
    scene = Scene("A")
    assert scene.run((promise("A", 6),)).reasons == {"A": "6 bytes were promised, the server has 5"}
    assert (len(scene.server.opened), scene.pauses) == (1, [])


def test_a_later_round_fetches_again() -> None:
    scene = Scene("A")
    scene.run(round_number=2)
    (_, provenance) = scene.landing.objects[f"{FOLDER}A"]
    assert provenance
    assert provenance.refetched


def test_a_vendor_without_addresses_is_asked_once_and_named_as_the_reason() -> None:
    scene = Scene()
    error = VendorUnavailableError("slot", "files", "503", "Wait.")
    scene.vendor.script = [error]
    assert scene.run() == BatchResult((), dict.fromkeys("ABC", str(error)))


def test_a_result_is_read_as_it_is_written() -> None:
    result = BatchResult(("A",), {"B": "why"})
    assert BatchResult.from_json(orjson.loads(orjson.dumps(asdict(result)))) == result
