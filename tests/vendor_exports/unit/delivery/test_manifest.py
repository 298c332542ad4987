"""The vendor's list: no file lands outside its folder, and every entry is expected or has a reason."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.simulator.vendor_faults import HOSTILE_KEYS
from sluice.http.documents import whole_number
from sluice.vendor_exports.client.api import ListedFile
from sluice.vendor_exports.delivery.manifest import Limits, batches, manifest_of, safe_name
from sluice.vendor_exports.delivery.model import MANIFEST, ExpectedFile, Manifest
from tests.vendor_exports.unit.delivery.memory import GUID, expected_file, listed_file

MAX = 1000

PIECES = st.sampled_from(
    ["a", "b", "..", ".", "", "/", "\\", "_", MANIFEST, "_" + MANIFEST, "_$folder$", "\x00", "é", " ", "\u00a0", "~"]
)
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
    assert name.replace("\u00a0", " ").isprintable() or not key.isascii()
    assert len(name.encode()) <= 256
    assert name in {key.replace("\\", "/").split("/")[-1], f"_{MANIFEST}"}


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Voyage_0", ["a/b/Voyage_0", "Voyage_0"]),
        ("x", ["../../x", "..\\..\\x", "/etc/x", "a\\x", "a" * 1022 + "/x", "é" * 511 + "/x"]),
        (f"_{MANIFEST}", [f"a/{MANIFEST}", f"a/_{MANIFEST}"]),
        ("x" * 255, ["a/" + "x" * 255]),
        ("é" * 127, ["a/" + "é" * 127]),
        ("A\u00a01\u202f\u3000b", ["a/A\u00a01\u202f\u3000b"]),
        (
            None,
            ["a/..", "a/.", "a/", "", "a/ ", "a/\u00a0", "a/Voyage_\x00", "a/Voyage_\x1b[31m", "a/Voyage_\u202egpj"],
        ),
        (None, ["a/" + "x" * 256, "a/" + "é" * 128, "a/" + "😀" * 64, "a" * 1023 + "/x", "é" * 512 + "/x"]),
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
        is_marker = whole_number(entry.size) == 0 and entry.key.endswith(("/", "\\", "_$folder$"))
        if is_marker or (entry.key, whole_number(entry.size)) in promised:
            continue
        name = safe_name(entry.key)
        accounted = (
            any(each.startswith(f"entry {number} (") for each in manifest.unusable)
            if name is None
            else name in manifest.unusable or f"{name} (again)" in manifest.unusable or name in names
        )
        assert accounted, entry


def test_what_is_listed_twice_is_one() -> None:
    manifest = manifest_of(
        GUID, [listed_file("A_1", 5), listed_file("B_1", 0), listed_file("A_1", 5, "https://other/A_1")], MAX
    )
    assert manifest == Manifest(GUID, (expected_file("A_1", 5), expected_file("B_1", 0)), {})


def test_files_of_one_name_are_not_one() -> None:
    others = [listed_file("A_1", 6), *(ListedFile(f"{folder}/A_1", "https://host/A_1", 5) for folder in "bcb")]
    broken = [ListedFile(f"{folder}/A_1", "", 5) for folder in "dde"]
    manifest = manifest_of(GUID, [*broken, listed_file("A_1", 5), *others], MAX)
    assert manifest.files == (expected_file("A_1", 5),)
    no_url, double = "it is listed without a URL", "the list has two files of this name, this one of {} bytes"
    assert manifest.unusable == {
        "A_1 (again)": no_url,
        "A_1 (again, 2)": no_url,
        "A_1 (again, 3)": double.format(6),
        "A_1 (again, 4)": double.format(5),
        "A_1 (again, 5)": double.format(5),
    }


@pytest.mark.parametrize("broken", [ListedFile("ACME/A_1", "", 5), listed_file("A_1", "5 B"), listed_file("A_1", -1)])
@pytest.mark.parametrize("first", [True, False])
def test_a_broken_entry_beside_a_whole_one_spoils_nothing(broken: ListedFile, *, first: bool) -> None:
    entries = [broken, listed_file("A_1", 5)] if first else [listed_file("A_1", 5), broken]
    assert manifest_of(GUID, entries, MAX) == Manifest(GUID, (expected_file("A_1", 5),), {})


@pytest.mark.parametrize("size", [5, "5", 5.0, "5.0", " 5\u00a0"])
def test_sizes_in_other_forms(size: object) -> None:
    entries = [listed_file("A_1", 5), listed_file("A_1", size), listed_file("B_1", size)]
    assert manifest_of(GUID, entries, MAX) == Manifest(GUID, (expected_file("A_1", 5), expected_file("B_1", 5)), {})


@pytest.mark.parametrize("size", [0, "0", 0.0])
def test_folder_markers_are_no_files(size: object) -> None:
    keys = ("a/", "a/b/", "a\\", "a/b_$folder$", "/")
    assert manifest_of(GUID, [ListedFile(key, "", size) for key in keys], MAX) == Manifest(GUID, (), {})


NO_SIZE = "it is listed without a size in bytes"


@pytest.mark.parametrize(
    ("entry", "name", "reason"),
    [
        (ListedFile("a/", "https://x", 1), "entry 2 ('a/')", "its object key ends in a folder (prefix), or in blanks"),
        (ListedFile("a/", "", None), "entry 2 ('a/')", "its object key ends in a folder (prefix), or in blanks"),
        (ListedFile("", "", None), "entry 2 ('')", "it is listed without an object key"),
        (ListedFile("a/..", "u", 1), "entry 2 ('a/..')", "its object key ends in a relative path element"),
        (ListedFile("a/\x1b[1m", "u", 1), "entry 2 ('a/?[1m')", "its object key has a character to avoid, U+001B"),
        (
            ListedFile("x" * 2000, "https://x", 1),
            f"entry 2 ('{'x' * 80}')",
            "its object key is longer than the 1024 bytes that S3 takes",
        ),
        (
            ListedFile("a/" + "x" * 256, "https://x", 1),
            f"entry 2 ('a/{'x' * 78}')",
            "its object key ends in a name of more than 255 bytes",
        ),
        (ListedFile("a/B", "", 1), "B", "it is listed without a URL"),
        (ListedFile("a/B_$folder$", "u", 5), "", ""),
        (ListedFile("a/B", "u", None), "B", NO_SIZE),
        *(
            (ListedFile("a/B", "u", size), "B", f"{NO_SIZE}, but with {shown}")
            for size, shown in ((-1, "-1"), (1.5, "1.5"), (True, "true"), ("12 kB", '"12 kB"'), ("1,234", '"1,234"'))
        ),
        (ListedFile("a/B", "u", 1 << 62), "B", "it is larger than the 1000 bytes that a file may have here"),
        (ListedFile("a/B", "u", MAX + 1), "B", "it is larger than the 1000 bytes that a file may have here"),
    ],
)
def test_entries_that_cannot_be_copied(entry: ListedFile, name: str, reason: str) -> None:
    unusable = {name: reason} if name else {}
    assert manifest_of(GUID, [listed_file("A", MAX), entry], MAX).unusable == unusable


def test_a_later_list_adds_and_mends_and_takes_nothing_away() -> None:
    first = Manifest(GUID, (expected_file("A", 1), expected_file("B", 2)), {"C": "no size", "D": "no size"})
    later = Manifest(GUID, (expected_file("B", 9), expected_file("C", 3)), {"E": "no size", "A": "no size"})
    assert first.extended(later) == Manifest(
        GUID, (expected_file("A", 1), expected_file("B", 9), expected_file("C", 3)), {"D": "no size", "E": "no size"}
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
