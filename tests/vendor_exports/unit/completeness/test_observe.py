"""Folders are observed: every slot has an observation, and files of other folders do not count."""

import json
from collections.abc import Mapping, Sequence

import pytest

from sluice.vendor_exports.completeness.observations import MAX_MANIFEST_BYTES, observe
from sluice.vendor_exports.completeness.slot_history import Observation
from sluice.vendor_exports.delivery.master_schema import MAX_SCHEMA_BYTES, read_schema
from sluice.vendor_exports.delivery.model import MANIFEST, MASTER_SCHEMA
from tests.vendor_exports.unit.completeness.deliveries import FIRST, PROD, TEST, Bucket, schema, settled, slots

NOW = settled(FIRST)


def first_hour(files: Mapping[str, bytes]) -> Bucket:
    bucket = Bucket()
    bucket.deliver(FIRST, files)
    return bucket


def test_an_observation_counts_files_bytes_and_tables() -> None:
    bucket, master = Bucket(), schema("Voyage", "Cargo")
    files = {
        "Voyage_1.json": b"123",
        "Voyage_2.json": b"4567",
        "Berth_x": b"",
        "_Script.sql": b"89",
        "readme": b"0",
        MASTER_SCHEMA: master,
        MANIFEST: b"ours",
    }
    bucket.deliver(FIRST, files)
    (found,) = observe(bucket, TEST, [FIRST], NOW)
    assert found == Observation(FIRST, NOW, 6, 10 + len(master), ("Berth", "Voyage"), read_schema(master))


def test_every_slot_has_an_observation() -> None:
    bucket = Bucket()
    bucket.deliver(FIRST.after(2), {"Voyage_1": b"1"})
    found = observe(bucket, TEST, slots(4), NOW)
    assert [each.slot for each in found] == slots(4)
    assert [each.files for each in found] == [0, 0, 1, 0]
    assert found[0] == Observation(FIRST, NOW, 0, 0, (), None)


def test_files_outside_of_the_folder_do_not_count() -> None:
    folder = FIRST.folder(TEST)
    elsewhere = [folder, f"{folder}sub/A_1", f"{TEST.hourly}A_1", FIRST.after().folder(TEST) + "A_1"]
    bucket = Bucket({**dict.fromkeys(elsewhere, b"1"), folder + MANIFEST: b"[]"})
    bucket.deliver(FIRST, {"A_1": b"1"}, PROD)
    assert observe(bucket, TEST, [FIRST], NOW) == [Observation(FIRST, NOW, 0, 0, (), None)]


def manifest(*keys: str, **more: object) -> bytes:
    return json.dumps([{"key": key, "size": 1, **more} for key in keys]).encode()


def test_files_of_an_earlier_job_do_not_count() -> None:
    bucket, master = Bucket(), schema("A", "B")
    ours = {"A_1": b"1", MASTER_SCHEMA: master, MANIFEST: manifest("A_1", MASTER_SCHEMA, "Gone_1")}
    bucket.deliver(FIRST, {**ours, "A_2": b"22", "B_1": b"333", "readme": b"4"})
    bucket.deliver(FIRST.after(), {"A_2": b"22"})
    other = [FIRST.after(), FIRST]
    assert observe(bucket, TEST, other, NOW) == [
        Observation(FIRST.after(), NOW, 1, 2, ("A",), None),
        Observation(FIRST, NOW, 2, 1 + len(master), ("A",), read_schema(master)),
    ]


def test_a_schema_of_another_job_is_not_read() -> None:
    bucket = first_hour({"A_1": b"1", MASTER_SCHEMA: schema("A"), MANIFEST: manifest("A_1")})
    assert observe(bucket, TEST, [FIRST], NOW) == [Observation(FIRST, NOW, 1, 1, ("A",), None)]


def test_manifests_hold_for_their_own_folder() -> None:
    bucket = Bucket()
    for number, slot in enumerate(slots(3)):
        bucket.deliver(slot, {"A_1": b"1", "B_1": b"1", MANIFEST: manifest("AB"[number % 2] + "_1")})
    assert [each.tables for each in observe(bucket, TEST, slots(3), NOW)] == [("A",), ("B",), ("A",)]
    bucket.deliver(FIRST, {"A_1": b"1", MANIFEST: manifest("B_1")}, PROD)
    assert [each.tables for each in observe(bucket, TEST, [FIRST], NOW)] == [("A",)]
    assert [each.tables for each in observe(bucket, PROD, [FIRST], NOW)] == [()]


def test_keys_of_a_manifest_have_folders() -> None:
    bucket = Bucket()
    keys = manifest("guid/Test/A_1", "\\\\share\\B_1", "../../C_1", "/D_1", "..", "", "E_1/", "F_1\n", url="x")
    bucket.deliver(FIRST, {**{f"{table}_1": b"1" for table in "ABCDEF"}, MANIFEST: keys})
    assert observe(bucket, TEST, [FIRST], NOW) == [Observation(FIRST, NOW, 4, 4, tuple("ABCD"), None)]


@pytest.mark.parametrize("key", [MANIFEST, f"guid/{MANIFEST}", f"guid/_{MANIFEST}"])
def test_the_vendors_own_manifest_is_a_file_under_its_other_name(key: str) -> None:
    bucket = Bucket()
    files = {"A_1": b"1", f"_{MANIFEST}": b"22", "Left_1": b"", MANIFEST: manifest("A_1", key)}
    bucket.deliver(FIRST, files)
    assert observe(bucket, TEST, [FIRST], NOW) == [Observation(FIRST, NOW, 2, 3, ("A",), None)]
    del bucket.objects[FIRST.folder(TEST) + MANIFEST]
    (found,) = observe(bucket, TEST, [FIRST], NOW)
    assert (found.files, found.tables) == (3, ("A", "Left"))


NO_MANIFESTS = {
    "no JSON": [b"", b"no JSON", b"\xff", b'[{"key": "A_1"}', b"[" * 100_000],
    "no list of files": [b"{}", b"null", b"[]", b"[1]", b'["key"]'],
    "without keys": [b'[{"size": 1}]', b'[{"key": null}]', b'[{"key": []}]', b'[{"key": "A_1"}, {}]'],
    "too large": [manifest("A_1") + b" " * MAX_MANIFEST_BYTES],
}


@pytest.mark.parametrize("bodies", NO_MANIFESTS.values(), ids=NO_MANIFESTS)
def test_without_a_readable_manifest_every_file_counts(bodies: list[bytes]) -> None:
    for body in bodies:
        bucket = first_hour({"A_1": b"1", "B_1": b"22", MANIFEST: body})
        assert observe(bucket, TEST, [FIRST], NOW) == [Observation(FIRST, NOW, 2, 3, ("A", "B"), None)]


def test_the_largest_manifest_is_read() -> None:
    bucket = first_hour({"A_1": b"1", "B_1": b"1", MANIFEST: manifest("A_1").ljust(MAX_MANIFEST_BYTES)})
    assert [each.files for each in observe(bucket, TEST, [FIRST], NOW)] == [1]


class Vanishing(Bucket):
    """Objects that were listed are gone when they are read."""

    def find_all(self, keys: Sequence[str], max_bytes: int) -> list[bytes | None]:
        self.objects.clear()
        return super().find_all(keys, max_bytes)


def test_a_manifest_that_is_gone_when_it_is_read() -> None:
    bucket = Vanishing()
    bucket.deliver(FIRST, {"A_1": b"1", "B_1": b"1", MANIFEST: manifest("A_1")})
    assert [each.files for each in observe(bucket, TEST, [FIRST], NOW)] == [2]


def test_a_schema_that_is_gone_or_too_large_when_it_is_read() -> None:
    for bucket, body in [(Vanishing(), schema("A")), (Bucket(), b" " * MAX_SCHEMA_BYTES + schema("A"))]:
        bucket.deliver(FIRST, {MASTER_SCHEMA: body})
        assert [(each.files, each.schema) for each in observe(bucket, TEST, [FIRST], NOW)] == [(1, None)]
