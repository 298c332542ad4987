"""Batches of files are copied from presigned URLs; one that fails leaves the others alone."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from sluice.http.answers import Pauses
from sluice.vendor_exports.client.api import Environment, ListedFile, VendorUnavailableError
from sluice.vendor_exports.delivery.copy_files import LIFETIME_MINUTES, BatchCopy, FileCopy, PresignedUrls
from sluice.vendor_exports.delivery.model import BatchResult, CopyBatch, ExpectedFile
from sluice.vendor_exports.delivery.transfers import (
    DownloadError,
    ServerBusyError,
    TransientDownloadError,
    UrlExpiredError,
)
from tests.vendor_exports.unit.delivery.memory import (
    EXPORT,
    FOLDER,
    GUID,
    MemoryStoredFiles,
    ScriptedVendor,
    Server,
    expected_file,
    listed_file,
    md5,
    provenance_of,
)


class Batch:
    """Files A, B, C at the vendor's, with URLs that end in the number of the list they come from."""

    def __init__(self, names: str = "ABC", lists: int = 3) -> None:
        self.bodies = {name: name.encode() * 5 for name in names}
        self.files = tuple(expected_file(name, 5) for name in names)
        self.vendor = ScriptedVendor([self.listed(number) for number in range(1, lists + 1)])
        bodies = {f"{name}/{number}": body for name, body in self.bodies.items() for number in range(1, lists + 1)}
        self.server = Server(bodies)
        self.stored = MemoryStoredFiles()
        self.pauses: list[float] = []

    def listed(self, number: int) -> list[ListedFile]:
        return [listed_file(name, 5, f"{name}/{number}") for name in self.bodies]

    def run(self, files: tuple[ExpectedFile, ...] | None = None, round_number: int = 1) -> BatchResult:
        copy = FileCopy(self.server, self.stored, self.stored)
        batch = CopyBatch("01-0000", round_number, GUID, files or self.files)
        pauses = Pauses(1.0, self.pauses.append)
        return BatchCopy(copy, self.stored, EXPORT, urls_of(self.vendor), pauses).run(batch)

    def refuse(self, error: DownloadError, *urls: str, times: int = 99) -> None:
        left = Counter(dict.fromkeys(urls, times))

        def before(url: str) -> None:
            left[url] -= 1
            if left[url] >= 0:
                raise error

        self.server.before = before

    def copied(self) -> dict[str, bytes]:
        return {key.removeprefix(FOLDER): body for key, (body, _) in self.stored.objects.items()}


def urls_of(vendor: ScriptedVendor) -> PresignedUrls:
    return PresignedUrls(vendor, Environment.TEST, GUID)


@pytest.mark.parametrize("size", [5, None])
def test_a_file_is_copied_from_its_own_key_whatever_else_has_its_name(size: object) -> None:
    batch = Batch("A")
    batch.server.bodies["old"] = b"other"
    batch.vendor.script = [[ListedFile("elsewhere/A", "old", size), *batch.listed(1)]]
    assert batch.run() == BatchResult([], {})
    assert batch.copied() == batch.bodies


EXPIRED = UrlExpiredError("its URL is not accepted (403), a new one neither")


def test_all_files_are_copied_with_one_list() -> None:
    batch = Batch()
    assert batch.run() == BatchResult([], {})
    assert batch.copied() == batch.bodies
    assert {provenance for _, provenance in batch.stored.objects.values()} == {
        provenance_of(md5(body)) for body in batch.bodies.values()
    }
    assert len(batch.vendor.asked) == 1


def test_the_same_file_of_another_job_is_kept() -> None:
    batch = Batch("AB")
    batch.stored.objects[f"{FOLDER}A"] = b"AAAAA", provenance_of(md5(b"AAAAA"), job="another")
    assert batch.run() == BatchResult(["A"], {})
    assert batch.stored.done == [f"put {FOLDER}B"]
    assert batch.copied() == batch.bodies


def test_an_expired_url_is_replaced() -> None:
    batch = Batch()
    together = Barrier(3, timeout=300)

    def before(url: str) -> None:
        if url.endswith("1"):
            together.wait()
        if url in {"A/1", "B/1"}:
            raise EXPIRED

    batch.server.before = before
    assert batch.run() == BatchResult([], {})
    assert batch.copied() == batch.bodies
    refetched = {key[-1]: provenance.refetched for key, (_, provenance) in batch.stored.objects.items() if provenance}
    assert refetched == {"A": True, "B": True, "C": False}
    assert len(batch.vendor.asked) == 2, "one new list for both"
    assert batch.pauses == []


def test_a_url_expires_after_a_transient_error() -> None:
    batch = Batch("A")
    errors: list[DownloadError] = [TransientDownloadError("reset"), EXPIRED, TransientDownloadError("reset")]

    def before(_: str) -> None:
        if errors:
            raise errors.pop(0)

    batch.server.before = before
    assert batch.run() == BatchResult([], {})
    assert [url for url, _ in batch.server.opened] == ["A/1", "A/1", "A/2", "A/2"]


def test_urls_that_are_expired_at_once_are_renewed_only_once() -> None:
    batch = Batch()
    batch.refuse(EXPIRED, "A/1", "A/2", "A/3")
    assert batch.run() == BatchResult([], {"A": "its URL is not accepted (403), a new one neither"})
    assert len(batch.vendor.asked) == 2
    assert set(batch.copied()) == {"B", "C"}


def test_a_file_that_is_not_listed_any_more() -> None:
    batch = Batch("AB")
    batch.vendor.script = [batch.listed(1), [listed_file("B", 5, "B/2")]]
    batch.refuse(EXPIRED, "A/1")
    unlisted = expected_file("D", 5)
    result = batch.run((*batch.files, unlisted))
    assert result.reasons == dict.fromkeys("AD", "the vendor does not list it any more")


def test_transient_errors_are_retried_with_pauses() -> None:
    batch = Batch("A")
    batch.refuse(TransientDownloadError("the server answered 503, again and again"), "A/1", times=3)
    assert batch.run() == BatchResult([], {})
    assert len(batch.pauses) == 3
    assert all(pause <= most for pause, most in zip(batch.pauses, (1, 2, 4), strict=True))


def test_a_file_that_cannot_be_fetched_leaves_the_others_alone() -> None:
    batch = Batch()
    batch.refuse(TransientDownloadError("the server answered 503, again and again"), "B/1")
    assert batch.run() == BatchResult([], {"B": "the server answered 503, again and again"})
    assert set(batch.copied()) == {"A", "C"}
    assert len(batch.pauses) == 3


def test_a_server_that_is_busy_for_a_file_gets_one_attempt_for_each_other_one() -> None:
    batch = Batch("ABCDEFGH")
    error = ServerBusyError("the server answered 503 SlowDown, again and again")
    batch.refuse(error, *(f"{name}/1" for name in batch.bodies))
    assert batch.run().busy == dict.fromkeys(batch.bodies)
    assert len(batch.server.opened) <= 4 * 4 + 4, "four files at a time"


def test_a_file_with_unexpected_content_is_not_fetched_again() -> None:
    batch = Batch("A")
    assert batch.run((expected_file("A", 6),)).reasons == {"A": "6 bytes were promised, the server has 5"}
    assert (len(batch.server.opened), batch.pauses) == (1, [])


def test_files_of_a_later_round_count_as_refetched() -> None:
    batch = Batch("A")
    batch.run(round_number=2)
    assert batch.stored.objects[f"{FOLDER}A"] == (b"AAAAA", provenance_of(md5(b"AAAAA"), refetched=True))


def test_the_error_of_the_list_is_the_reason_of_every_file() -> None:
    batch = Batch()
    error = VendorUnavailableError("slot", "files", "503", "Wait.", retry_after=200)
    batch.vendor.script = [error]
    assert batch.run() == BatchResult([], dict.fromkeys("ABC", str(error)), dict.fromkeys("ABC", 200))
    assert len(batch.vendor.asked) == 1


# Presigned URLs


def test_one_list_serves_all_threads() -> None:
    vendor = ScriptedVendor([[listed_file("A", 1), listed_file("B", 2)], []])
    urls = urls_of(vendor)
    assert vendor.asked == []
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(urls.url, ["ACME/A", "ACME/B"] * 20))
    assert found == [("https://host/A", 1), ("https://host/B", 1)] * 20
    with pytest.raises(DownloadError, match="the vendor does not list it any more"):
        urls.url("ACME/C")
    assert vendor.asked == [("files", Environment.TEST, GUID, LIFETIME_MINUTES)]
