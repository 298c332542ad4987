"""Downloads from the simulator: signed URLs, ranges, and files of any size."""

import tracemalloc
from collections.abc import Iterator
from functools import partial
from hashlib import md5 as any_md5

import httpx
import pytest

from cli.http_server.content import generated
from cli.simulator.exports import Exports
from tests.vendor_exports.unit.simulator.vendor_client import VendorClient, simulated

md5 = partial(any_md5, usedforsecurity=False)
BIG = 200_000_003


@pytest.fixture
def client() -> Iterator[VendorClient]:
    with simulated(Exports(files=20, big_bytes=BIG)) as client:
        yield client


@pytest.fixture
def url(client: VendorClient) -> str:
    return client.url_of("Voyage_0.json.gz")


@pytest.mark.parametrize("minutes", [60, 1])
def test_a_url_expires_after_the_minutes_asked_for(client: VendorClient, minutes: int) -> None:
    url = client.list(client.complete_job(), expirationInMinutes=str(minutes)).json()[0]["presignedDownloadURL"]
    assert "signature=SIMSIGNATURE-" in url
    client.clock.advance(minutes=minutes - 1)
    assert client.get(url).status_code == 200
    client.clock.advance(minutes=1)
    assert client.get(url).status_code == 403


def test_a_forged_url_opens_nothing(client: VendorClient, url: str) -> None:
    path, query = url.split("?")
    forged = [
        path,
        url[:-1],
        url.replace("expires=1", "expires=2"),
        url.replace("Voyage_0", "Vessel_1"),
        f"{path}?{query}x",
        f"{path}?{query}%C3%A9",
    ]
    assert {client.get(each).status_code for each in forged} == {403}


def test_a_file_is_downloaded_whole(client: VendorClient, url: str) -> None:
    answer = client.get(url)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/gzip"
    assert answer.headers["Content-Length"] == str(len(answer.content))
    assert answer.headers["ETag"] == f'"{md5(answer.content).hexdigest()}"'


def test_head_has_the_headers_of_get(client: VendorClient, url: str) -> None:
    head, got = client.http.head(url), client.get(url)
    assert head.content == b""
    assert {name: value for name, value in head.headers.items() if name != "date"} == {
        name: value for name, value in got.headers.items() if name != "date"
    }


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=10-19", slice(10, 20)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=5-99999999", slice(5, None)),
    ],
)
def test_a_part_of_a_file(client: VendorClient, url: str, asked: str, part: slice) -> None:
    whole = client.get(url).content
    answer = client.get(url, Range=asked)
    start, stop, _ = part.indices(len(whole))
    assert answer.status_code == 206
    assert answer.content == whole[part]
    assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{len(whole)}"


@pytest.mark.parametrize("asked", ["bytes=9-3", "bytes=-", "bytes=0-1,5-6"])
def test_an_invalid_range_is_ignored(client: VendorClient, url: str, asked: str) -> None:
    assert client.get(url, Range=asked).status_code == 200


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0"])
def test_a_part_beyond_the_end(client: VendorClient, url: str, asked: str) -> None:
    answer = client.get(url, Range=asked)
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(client.get(url).content)}"


def test_conditions_on_the_etag(client: VendorClient, url: str) -> None:
    etag = client.get(url).headers["ETag"]
    assert client.get(url, If_Match=etag).status_code == 200
    assert client.get(url, If_Match='"other"').status_code == 412
    assert client.get(url, If_Range=etag, Range="bytes=0-9").status_code == 206
    assert client.get(url, If_Range='"other"', Range="bytes=0-9").status_code == 200


def test_a_big_file_needs_no_memory(client: VendorClient) -> None:
    url = client.url_of("Document_0.bin")
    digest = md5()
    tracemalloc.start()
    with client.http.stream("GET", url, timeout=60) as answer:
        for chunk in answer.iter_raw():
            digest.update(chunk)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert answer.num_bytes_downloaded == BIG
    assert answer.headers["ETag"] == f'"{digest.hexdigest()}"'
    assert peak < 20_000_000


@pytest.mark.parametrize(("start", "stop"), [(262_143, 262_145), (5, 900_000), (999_990, 1_000_000), (7, 7)])
def test_generated_bytes_are_the_same_from_anywhere(start: int, stop: int) -> None:
    content = generated(1_000_000, seed=3)
    whole = b"".join(content.chunks(0, 1_000_000))
    assert len(whole) == 1_000_000
    assert b"".join(content.chunks(start, stop)) == whole[start:stop]
    assert content.md5 == md5(whole).hexdigest()
    assert content.md5 != generated(1_000_000, seed=4).md5


def test_a_client_that_disconnects_leaves_no_trace(client: VendorClient, capfd: pytest.CaptureFixture[str]) -> None:
    url = client.url_of("Document_0.bin")
    with httpx.stream("GET", url, trust_env=False) as answer:
        next(answer.iter_raw())
    assert client.ask_token().status_code == 200
    client.simulator.stop()
    assert capfd.readouterr().err == ""
