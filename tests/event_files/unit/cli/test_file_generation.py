"""Generated event files: the same every time, of every table and flaw."""

import gzip
import hashlib

import pytest

from cli.event_files.file_generation import EventFile, event_files
from sluice.contracts.load import load_registry
from sluice.contracts.model import Registry
from sluice.event_files.ledger.model import Counts, Reason


@pytest.fixture(scope="module")
def registry() -> Registry:
    return load_registry()


@pytest.fixture(scope="module")
def files(registry: Registry) -> list[EventFile]:
    return list(event_files(registry, files=40, events=2000, seed=1))


def total(files: list[EventFile]) -> Counts:
    counts = Counts()
    for file in files:
        counts.add(file.counts)
    return counts


def test_a_seed_gives_the_same_bytes_every_time(registry: Registry, files: list[EventFile]) -> None:
    again = list(event_files(registry, files=40, events=2000, seed=1))
    other = list(event_files(registry, files=40, events=2000, seed=2))
    assert [(f.name, f.body) for f in again] == [(f.name, f.body) for f in files]
    assert not {hashlib.sha256(f.body).digest() for f in other} & {hashlib.sha256(f.body).digest() for f in files}


def test_every_table_and_every_flaw_occurs(registry: Registry, files: list[EventFile]) -> None:
    counts = total(files)
    assert set(counts.clean) == {contract.table for contract in registry.contracts}
    assert set(counts.dirty_by_reason()) == set(Reason) - {
        Reason.TOO_LARGE,
        Reason.TRUNCATED_GZIP,
        Reason.UNKNOWN_CODING,
        Reason.FILE_TOO_LARGE,
        Reason.FILE_TOO_SLOW,
    }
    assert counts.unrelated > 0
    assert 1990 <= counts.events <= 2000 + 40 / 8


def test_some_files_are_compressed_and_some_separated(files: list[EventFile]) -> None:
    compressed = [file for file in files if file.body.startswith(b"\x1f\x8b")]
    plain = [file.body for file in files if file not in compressed]
    assert 0 < len(compressed) < len(files) / 2
    assert gzip.decompress(compressed[0].body).startswith(b"{")
    assert any(b"}\n{" in body for body in plain)
    assert any(b"}{" in body and b"}\n{" not in body for body in plain)


def test_some_events_come_in_two_files(files: list[EventFile]) -> None:
    content = [gzip.decompress(f.body) if f.body.startswith(b"\x1f\x8b") else f.body for f in files]
    assert content[7].rsplit(b'{"version"', 1)[1] in content[6]


def test_events_refer_to_media(files: list[EventFile]) -> None:
    keys = [key for file in files for key in file.media]
    assert keys
    assert all(key.startswith("demo/") and key.count("/") == 2 for key in keys)


@pytest.mark.parametrize(("count", "events"), [(1, 0), (3, 2), (7, 100)])
def test_any_number_of_files_and_events(registry: Registry, count: int, events: int) -> None:
    files = list(event_files(registry, files=count, events=events, seed=5))
    assert len({file.name for file in files}) == count
    assert events * 0.97 <= total(files).events <= events
