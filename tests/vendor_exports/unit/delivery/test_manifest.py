"""The vendor's list: no file lands outside its folder, and every entry is expected or has a reason."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.simulator.vendor_faults import HOSTILE_KEYS
from sluice.vendor_exports.client.api import ListedFile
from sluice.vendor_exports.delivery.manifest import Limits, batches, manifest_of, safe_name, urls_by_name
from sluice.vendor_exports.delivery.model import MANIFEST, ExpectedFile, Manifest
from tests.vendor_exports.unit.delivery.memory import GUID, expected_file, listed_file

MAX = 1000

PIECES = st.sampled_from(["a", "b", "..", ".", "", "/", "\\", "_", MANIFEST, "_" + MANIFEST, "\x00", "é", " ", "~"])
KEYS = st.lists(PIECES, max_size=6).map("".join) | st.text() | st.sampled_from(HOSTILE_KEYS)
SIZES: st.SearchStrategy[object] = st.one_of(
    st.integers(-2, MAX + 2), st.none(), st.booleans(), st.floats(allow_nan=False), st.text(max_size=3)
)
LISTED = st.builds(ListedFile, KEYS, st.sampled_from(["", "https://host/a"]), SIZES)


@given(KEYS)
def test_a_name_is_one_that_a_folder_can_hold(key: str) -> None:
    name = safe_name(key)
    if name is None:
        return
    assert name
    assert not set(name) & set("/\\\0\n\r\x1b")
    assert name not in {".", "..", MANIFEST}
    assert name.isprintable()
    assert len(name.encode()) <= 256
    assert name in {key.replace("\\", "/").split("/")[-1], f"_{MANIFEST}"}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Voyage_0", ["a/b/Voyage_0", "Voyage_0"]),
        ("x", ["../../x", "..\\..\\x", "/etc/x", "a\\x", "a" * 1022 + "/x"]),
        (f"_{MANIFEST}", [f"a/{MANIFEST}", f"a/_{MANIFEST}"]),
        ("x" * 255, ["a/" + "x" * 255]),
        ("é" * 127, ["a/" + "é" * 127]),
        (None, ["a/..", "a/.", "a/", "", "a/Voyage_\x00", "a/Voyage_\x1b[31m", "a/Voyage_\u202egpj"]),
        (None, ["a/" + "x" * 256, "a/" + "é" * 128, "a/" + "😀" * 64, "a" * 1023 + "/x"]),
    ],
)
def test_names(name: str | None, keys: list[str]) -> None:
    assert {safe_name(key) for key in keys} == {name}


@given(st.lists(LISTED, max_size=12))
def test_every_entry_is_promised_or_has_its_reason(listed: list[ListedFile]) -> None:
    manifest = manifest_of(GUID, listed, MAX)
    names = [file.name for file in manifest.files]
    assert len(names) == len(set(names))
    assert not set(names) & set(manifest.unusable)
    assert all(0 <= file.size <= MAX for file in manifest.files)
    promised = {(file.key, file.size) for file in manifest.files}
    for number, entry in enumerate(listed, start=1):
        if (entry.key, entry.size) in promised:
            continue
        name = safe_name(entry.key)
        accounted = (
            any(each.startswith(f"entry {number} (") for each in manifest.unusable)
            if name is None
            else name in manifest.unusable or f"{name} (again)" in manifest.unusable or name in names
        )
        assert accounted, entry


@given(st.lists(LISTED, max_size=12))
def test_every_promised_file_has_an_address(listed: list[ListedFile]) -> None:
    found = urls_by_name(listed)
    assert {file.name for file in manifest_of(GUID, listed, MAX).files} <= set(found)
    assert "" not in found.values()


def test_what_is_listed_twice_is_one() -> None:
    manifest = manifest_of(
        GUID, [listed_file("A_1", 5), listed_file("B_1", 0), listed_file("A_1", 5, "https://other/A_1")], MAX
    )
    assert manifest == Manifest(GUID, (expected_file("A_1", 5), expected_file("B_1", 0)), {})
    assert urls_by_name([listed_file("A_1", 5), listed_file("A_1", 5, "https://other/A_1")]) == {
        "A_1": "https://host/A_1"
    }


@pytest.mark.parametrize("second", [listed_file("A_1", 6), ListedFile("elsewhere/A_1", "https://host/A_1", 5)])
def test_two_files_of_one_name_are_not_one(second: ListedFile) -> None:
    manifest = manifest_of(GUID, [listed_file("A_1", 5), second], MAX)
    assert manifest.files == (expected_file("A_1", 5),)
    reason = f"the list has two files of this name, this one of {second.size} bytes"
    assert manifest.unusable == {"A_1 (again)": reason}


@pytest.mark.parametrize("broken", [ListedFile("ACME/A_1", "", 5), listed_file("A_1", "5"), listed_file("A_1", -1)])
@pytest.mark.parametrize("first", [True, False])
def test_a_broken_entry_beside_a_whole_one_spoils_nothing(broken: ListedFile, *, first: bool) -> None:
    entries = [broken, listed_file("A_1", 5)] if first else [listed_file("A_1", 5), broken]
    assert manifest_of(GUID, entries, MAX) == Manifest(GUID, (expected_file("A_1", 5),), {})


@pytest.mark.parametrize(
    ("entry", "name", "reason"),
    [
        (ListedFile("a/", "https://x", 1), "entry 2 ('a/')", "its key ends in no usable name"),
        (ListedFile("", "", None), "entry 2 ('')", "its key ends in no usable name"),
        (ListedFile("\x1b[1m/", "https://x", 1), "entry 2 ('?[1m/')", "its key ends in no usable name"),
        (ListedFile("x" * 2000, "https://x", 1), f"entry 2 ('{'x' * 80}')", "its key ends in no usable name"),
        (ListedFile("a/B", "", 1), "B", "it is listed without a URL"),
        *(
            (ListedFile("a/B", "u", size), "B", "it is listed without a size in bytes")
            for size in (-1, None, "1", 1.0, True)
        ),
        (ListedFile("a/B", "u", 1 << 62), "B", "it is larger than the 1000 bytes that a file may have here"),
        (ListedFile("a/B", "u", MAX + 1), "B", "it is larger than the 1000 bytes that a file may have here"),
    ],
)
def test_entries_that_cannot_be_copied(entry: ListedFile, name: str, reason: str) -> None:
    assert manifest_of(GUID, [listed_file("A", MAX), entry], MAX).unusable == {name: reason}


def test_a_later_list_adds_and_mends_and_takes_nothing_away() -> None:
    first = Manifest(GUID, (expected_file("A", 1), expected_file("B", 2)), {"C": "no size", "D": "no size"})
    later = Manifest(GUID, (expected_file("B", 9), expected_file("C", 3)), {"E": "no size", "A": "no size"})
    assert first.extended(later) == Manifest(
        GUID, (expected_file("A", 1), expected_file("B", 2), expected_file("C", 3)), {"D": "no size", "E": "no size"}
    )


# Batches

FILES = st.lists(st.integers(0, 50), max_size=30).map(
    lambda sizes: [expected_file(f"F_{number}", size) for number, size in enumerate(sizes)]
)


@given(FILES, st.integers(1, 7), st.integers(1, 60))
def test_batches_hold_every_file_once_and_keep_to_the_limits(files: list[ExpectedFile], most: int, size: int) -> None:
    limits = Limits(MAX, most, size, rounds=3)
    cut = batches(GUID, files, 2, limits)
    assert Counter(file for batch in cut for file in batch.files) == Counter(files)
    for batch in cut:
        assert 1 <= len(batch.files) <= most
        assert len(batch.files) == 1 or sum(file.size for file in batch.files) <= size
        assert (batch.round, batch.job_guid) == (2, GUID)
    assert len({batch.batch_id for batch in cut}) == len(cut)
    assert cut == batches(GUID, list(reversed(files)), 2, limits), "a repeated step plans the same"


def test_batches_by_example() -> None:
    sizes = {"tiny": 1, "huge": 99, "even": 10, "odd": 10, "none": 0}
    files = [expected_file(name, size) for name, size in sizes.items()]
    limits = Limits(MAX, 3, 20, rounds=3)
    cut = batches(GUID, files, 1, limits)
    assert [[file.name for file in batch.files] for batch in cut] == [["huge"], ["even", "odd"], ["tiny", "none"]]
    assert [batch.batch_id for batch in cut] == ["01-0000", "01-0001", "01-0002"]
    assert batches(GUID, [], 1, limits) == []
