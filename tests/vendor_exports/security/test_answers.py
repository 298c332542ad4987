"""Whatever bytes a vendor sends: a clear error, or what was asked for, in bounded time and memory."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cli.http_server import transport_faults
from cli.http_server.faults import Fault, Target, answered
from cli.http_server.hostile_faults import absurd_length, dripping, dripping_head
from cli.http_server.messages import Response
from cli.simulator.exports import Exports, files_of
from cli.simulator.http_messages import Call
from sluice.http.answers import Pauses
from sluice.http.bounded_http import BoundedTransport
from sluice.http.redaction import Redactor
from sluice.http.url_policy_http import LoopbackPolicy
from sluice.vendor_exports.client.api import MAX_FILES, AnswerNotUnderstoodError, Environment
from sluice.vendor_exports.delivery.copy_files import BatchCopy, FileCopy, PresignedUrls
from sluice.vendor_exports.delivery.downloads_http import HttpDownloads
from sluice.vendor_exports.delivery.model import CopyBatch, ExpectedFile
from tests.support.scripted_server import said
from tests.vendor_exports.unit.client.script import Vendor, client_of
from tests.vendor_exports.unit.delivery.memory import EXPORT, FOLDER, GUID, MemoryStoredFiles, ScriptedVendor
from tests.vendor_exports.unit.simulator.vendor_client import NO_TLS, VendorClient, simulated

KINDS = (
    *("dripping", "dripping-head", "provisional", "header-flood", "packed", "packed-twice", "packed-otherwise"),
    *("absurd-headers", "absurd-length", "no-http", "deep-json", "many-values", "huge-numbers"),
)


@pytest.fixture(scope="module")
def met() -> dict[str, Any]:
    """What came of each fault, asked for a list and for a file; a process that died of one has no more."""
    names = [f"{call}-{kind}" for call in (Call.LIST, Call.FILE) for kind in KINDS]
    command = [sys.executable, "-m", "tests.vendor_exports.security.taken_over", *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr[-2000:]
    usage: dict[str, Any] = lines[-1]
    return usage | {line["fault"]: line["came"] for line in lines[:-1]}


def test_no_answer_fills_memory_or_takes_for_ever(met: dict[str, Any]) -> None:
    """A bomb alone has 600 MB."""
    assert met["peak_mb"] < 250
    assert met["cpu_seconds"] < 30


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_asked_for_again_or_not_understood(met: dict[str, Any], kind: str) -> None:
    """Two faulty answers, then a right one."""
    refused = {
        "packed": "an answer of more than 16 MB",
        "packed-twice": "Content-Encoding",
        "packed-otherwise": "Content-Encoding",
        **dict.fromkeys(["deep-json", "many-values", "huge-numbers"], "with something else than its interface says"),
    }
    came = met[f"list-{kind}"]
    assert refused.get(kind, "5 files") in came
    assert "9999" not in came


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_comes_or_has_a_reason(met: dict[str, Any], kind: str) -> None:
    came = met[f"file-{kind}"]
    comes = kind.startswith(("packed", "absurd-headers", "deep", "many", "huge"))
    assert came.endswith("bytes") if comes else "Error: the" in came
    assert "9999" not in came


def test_more_files_than_a_job_may_have() -> None:
    entries = [{"key": f"T{number}_0", "presignedDownloadURL": "u", "size": 1} for number in range(MAX_FILES + 1)]
    vendor = Vendor([said(document=entries), said(document=entries[1:])])
    with pytest.raises(AnswerNotUnderstoodError, match="the vendor listed 10001 files, more than the 10000"):
        client_of(vendor).files(Environment.TEST, GUID, 5)
    assert len(client_of(vendor).files(Environment.TEST, GUID, 5)) == MAX_FILES


# One bad file does not hurt the others

FILES = Exports(files=8)


@pytest.fixture
def vendor() -> Iterator[VendorClient]:
    with simulated(FILES) as client:
        yield client


def copy(vendor: VendorClient, *faults: Fault, seconds: float = 600) -> tuple[dict[str, str], set[str]]:
    """Copy all files as one batch; return the reasons of those that are missing, and the names of the others."""
    listed = vendor.files(vendor.complete_job())
    vendor.inflict(*faults)
    stored = MemoryStoredFiles()
    with httpx.Client(transport=BoundedTransport(NO_TLS), timeout=0.5) as http:
        downloads = HttpDownloads(http, LoopbackPolicy()).within(seconds)
        urls = PresignedUrls(ScriptedVendor(), Environment.TEST, GUID, 1)
        urls._urls = {entry["key"]: entry["presignedDownloadURL"] for entry in listed.values()}
        files = tuple(ExpectedFile(entry["key"], name, entry["size"]) for name, entry in listed.items())
        copying = BatchCopy(FileCopy(downloads, stored, stored), stored, EXPORT, urls, Pauses(0, lambda _: None))
        result = copying.run(CopyBatch("01-0000", 1, GUID, files))
    return dict(result.reasons), {key.removeprefix(FOLDER) for key in stored.objects}


BAD = "Voyage_0.json.gz"


@pytest.mark.parametrize(
    "fault",
    [
        dripping(Target(Call.FILE, BAD), 0.1),
        dripping_head(Target(Call.FILE, BAD), 0.1),
        absurd_length(Target(Call.FILE, BAD)),
        transport_faults.stalled(Target(Call.FILE, BAD)),
    ],
    ids=["dripping", "dripping head", "absurd length", "stalled"],
)
def test_a_bad_file_has_its_reason_and_the_others_are_copied(vendor: VendorClient, fault: Fault) -> None:
    reasons, copied = copy(vendor, fault)
    assert reasons.keys() == {BAD}
    assert copied == set(files_of(FILES)) - {BAD}


def test_a_batch_has_a_result_before_its_function_ends(vendor: VendorClient) -> None:
    """All files drip, and each could take for ever."""
    reasons, copied = copy(vendor, dripping(Target(Call.FILE), 0.1), seconds=1)
    assert (len(reasons), copied) == (8, set())
    assert "there was no time left for it in its batch" in reasons.values()


def test_a_slow_honest_file_comes(vendor: VendorClient) -> None:
    """More time passes than one request may wait for, but not without bytes."""
    size = 2 << 20
    slow = Response(200, iter([bytes(size // 8)] * 8), size, pause=0.1)
    with httpx.Client(transport=BoundedTransport(NO_TLS), timeout=0.5) as http:
        url = vendor.url_of(BAD)
        vendor.inflict(answered(Target(Call.FILE), lambda _: slow))
        with HttpDownloads(http, LoopbackPolicy(), Redactor()).open(url, 0) as download:
            assert sum(map(len, download.chunks)) == size
