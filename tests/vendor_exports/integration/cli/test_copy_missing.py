"""`sluice history copy-missing` against S3 and DynamoDB."""

import json

import pytest

from cli.vendor_exports import slot_copies
from sluice.vendor_exports.delivery.slots import MANIFEST
from tests.vendor_exports.integration.cli.conditional_s3 import ConditionalS3
from tests.vendor_exports.integration.cli.copy_missing_command import (
    FOLDER,
    KEPT,
    NAMES,
    ROOT,
    SIGNATURE,
    SIGNED,
    found,
    lake,
    put,
    run,
    states,
)


def test_a_dry_run_lists_the_missing_hours_and_copies_nothing(s3: ConditionalS3) -> None:
    put(s3, *NAMES)
    assert found() == {
        "environment": "Test",
        "source": f"s3://the-other/{ROOT}",
        "copied": False,
        "slots": [{"slot": "20260131-23", "state": "missing", "files": 3, "bytes": 4 + len(SIGNED)}],
        "files": 3,
        "bytes": 4 + len(SIGNED),
        "ignored": 0,
        "failed": [],
    }
    assert lake(s3) == {}


def test_missing_hours_are_copied_with_the_manifest_last(s3: ConditionalS3) -> None:
    put(s3, *NAMES)
    put(s3, "Voyage_1", folder=f"{ROOT}20260201/00/", body=b"later")
    s3.put_object(
        Bucket="the-other", Key=f"{FOLDER}Cargo_1", Body=b"{}", ContentEncoding="gzip", Metadata={"job": "guid"}
    )
    document = found("--yes")
    assert (document["copied"], document["files"], document["failed"]) == (True, 5, [])
    assert document["bytes"] == len(SIGNED) + len(b"1212{}later")
    assert len(lake(s3)) == 5
    assert [key for key in s3.copied if key.startswith(FOLDER)][-1] == FOLDER + MANIFEST
    copied = s3.head_object(Bucket="the-lake", Key=f"{FOLDER}Cargo_1")
    assert (copied["ContentEncoding"], copied["Metadata"]) == ("gzip", {"job": "guid"})
    again = found("--yes")
    assert (again["files"], set(states(again).values())) == (0, {"same"})


def test_no_signature_reaches_the_lake(s3: ConditionalS3) -> None:
    put(s3, *NAMES)
    s3.put_object(Bucket="the-other", Key=FOLDER + MANIFEST, Body=SIGNED, Metadata={"address": SIGNATURE})
    assert SIGNATURE.encode() in SIGNED
    found("--yes")
    copied = lake(s3)
    assert not [key for key, body in copied.items() if SIGNATURE.encode() in body or b"https:" in body]
    assert json.loads(copied[FOLDER + MANIFEST]) == KEPT
    assert (s3.head_object(Bucket="the-lake", Key=FOLDER + MANIFEST)["Metadata"], run("--yes").exit_code) == ({}, 0)
    assert lake(s3) == copied


@pytest.mark.parametrize("body", [b"no JSON", b'[{"key": {"url": "%b"}, "size": 1}]' % SIGNATURE.encode()])
def test_an_invalid_manifest_fails_alone(s3: ConditionalS3, body: bytes) -> None:
    put(s3, *NAMES)
    put(s3, MANIFEST, body=body)
    result = run("--yes", code=1)
    assert f"failed {FOLDER}{MANIFEST}: it holds no list of files" in result.stderr
    assert sorted(lake(s3)) == [f"{FOLDER}Port_1", f"{FOLDER}Voyage_1"]
    assert states(found()) == {"20260131-23": "partial"}
    put(s3, MANIFEST)
    assert found("--yes")["files"] == 1
    assert states(found()) == {"20260131-23": "same"}


def test_a_manifest_that_is_too_large_fails(s3: ConditionalS3, monkeypatch: pytest.MonkeyPatch) -> None:
    put(s3, *NAMES)
    monkeypatch.setattr(slot_copies, "_LARGEST_MANIFEST", len(SIGNED) - 1)
    assert found("--yes", code=1)["failed"] == [FOLDER + MANIFEST]
    monkeypatch.setattr(slot_copies, "_LARGEST_MANIFEST", len(SIGNED))
    assert found("--yes")["failed"] == []


def test_only_a_range_of_hours_is_compared(s3: ConditionalS3) -> None:
    for hour in ("20260130/23", "20260131/00", "20260131/23", "20260201/00", "20260201/01"):
        put(s3, "Voyage_1", folder=f"{ROOT}{hour}/")
    assert list(states(found("--from", "20260131-00", "--to", "20260201-00"))) == [
        "20260131-00",
        "20260131-23",
        "20260201-00",
    ]


def test_hours_that_are_not_over_are_left_out(s3: ConditionalS3) -> None:
    put(s3, "Voyage_1", folder=f"{ROOT}29990101/00/")
    assert found("--to", "29990101-00")["slots"] == []


def test_a_slot_that_differs_is_reported_and_left_alone(s3: ConditionalS3) -> None:
    put(s3, *NAMES)
    put(s3, "Voyage_1", bucket="the-lake", body=b"longer")
    document = found("--yes")
    assert document["slots"] == [{"slot": "20260131-23", "state": "differing", "files": 0, "bytes": 0}]
    assert lake(s3) == {f"{FOLDER}Voyage_1": b"longer"}


def test_the_text_shows_ranges_and_the_next_command(s3: ConditionalS3) -> None:
    for hour in ("22", "23"):
        put(s3, *NAMES, folder=f"{ROOT}20260131/{hour}/")
    put(s3, *NAMES, folder=f"{ROOT}20260201/00/")
    put(s3, "Voyage_1", folder=f"{ROOT}20260201/00/", bucket="the-lake", body=b"longer")
    dry = run()
    assert "20260131-22 … 20260131-23" in dry.stdout
    assert "differing" in dry.stdout
    assert "Add --yes" in dry.stderr
    done = run("--yes")
    assert "6 files, 0.0 MB copied" in done.stderr
    assert "sluice history update --stage local --slot 20260131-22 --slot 20260131-23" in done.stderr
