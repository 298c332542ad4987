"""`sluice history copy-missing`: the files it finds missing, and their copies."""

import json

import pytest

from cli.platform.session import Deployment
from cli.vendor_exports import slot_copies
from sluice.observability.formatting import size
from sluice.vendor_exports.delivery.model import MANIFEST
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
        "slots": [
            {"slot": "20260131-23", "state": "missing", "files": 3, "bytes": 4 + len(SIGNED)}
            | {"differing": [], "only_here": [], "left": []}
        ],
        "files": 3,
        "bytes": 4 + len(SIGNED),
        "ignored": 0,
        "failed": {},
    }
    assert lake(s3) == {}


def test_missing_hours_are_copied_with_the_manifest_last(s3: ConditionalS3) -> None:
    put(s3, *NAMES)
    put(s3, "Voyage_1", folder=f"{ROOT}20260201/00/", body=b"later")
    s3.put_object(
        Bucket="the-other", Key=f"{FOLDER}Cargo_1", Body=b"{}", ContentEncoding="gzip", Metadata={"job": "guid"}
    )
    document = found("--yes")
    assert (document["copied"], document["files"], document["failed"]) == (True, 5, {})
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


def test_an_invalid_manifest_fails_alone(s3: ConditionalS3) -> None:
    put(s3, *NAMES)
    put(s3, MANIFEST, body=b'[{"key": {"url": "%b"}, "size": 1}]' % SIGNATURE.encode())
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
    assert found("--yes", code=1)["failed"] == {FOLDER + MANIFEST: "it holds no list of files"}
    monkeypatch.setattr(slot_copies, "_LARGEST_MANIFEST", len(SIGNED))
    assert found("--yes")["failed"] == {}


def test_only_hours_of_the_range_that_are_over_are_compared(s3: ConditionalS3) -> None:
    for hour in ("20260130/23", "20260131/00", "20260131/23", "20260201/00", "20260201/01", "29990101/00"):
        put(s3, "Voyage_1", folder=f"{ROOT}{hour}/")
    ranged = found("--from", "20260131-00", "--to", "20260201-00")
    assert list(states(ranged)) == ["20260131-00", "20260131-23", "20260201-00"]
    assert list(states(found("--from", "20260201-01", "--to", "29990101-00"))) == ["20260201-01"]


def test_the_text_shows_ranges_and_the_next_command(s3: ConditionalS3) -> None:
    for hour in ("22", "23"):
        put(s3, *NAMES, folder=f"{ROOT}20260131/{hour}/")
    put(s3, *NAMES, folder=f"{ROOT}20260201/00/")
    put(s3, "Voyage_1", "Own_1", folder=f"{ROOT}20260201/00/", bucket="the-lake", body=b"longer")
    dry = run()
    assert "20260131-22 … 20260131-23" in dry.stdout
    assert "20260201-00 differ: Voyage_1\n" in dry.stdout
    assert "20260201-00 only in the lake: Own_1\n" in dry.stdout
    assert f"20260201-00 only there, not copied: Port_1, {MANIFEST}\n" in dry.stdout
    assert "1 slot left alone" in dry.stderr
    assert "Add --yes" in dry.stderr
    done = run("--yes")
    assert f"6 files, {size(2 * (4 + len(SIGNED)))} copied" in done.stderr
    assert lake(s3)[f"{ROOT}20260201/00/Voyage_1"] == b"longer"
    assert "`sluice history init --stage local --from 20260131-22 --to 20260131-23`" in done.stderr


@pytest.fixture
def large(s3: ConditionalS3, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Let the other bucket have a file that is copied in parts; return its bytes."""
    monkeypatch.setattr(slot_copies, "_PART_BYTES", 5 << 20)
    body = b"x" * (11 << 20)
    put(s3, "Voyage_1", body=body)
    return body


def test_checksums_decide_where_sizes_agree(s3: ConditionalS3) -> None:
    put(s3, "Port_1", body=b"12")
    put(s3, "Port_1", bucket="the-lake", body=b"12")
    assert states(found()) == {"20260131-23": "same"}
    put(s3, "Port_1", bucket="the-lake", body=b"21")
    (slot,) = found("--yes")["slots"]
    assert (slot["state"], slot["differing"], slot["only_here"]) == ("differing", ["Port_1"], [])


@pytest.mark.parametrize(("last", "state"), [(b"x", "same"), (b"y", "differing")])
def test_bytes_decide_where_checksums_have_nothing_in_common(
    s3: ConditionalS3, large: bytes, last: bytes, state: str
) -> None:
    """Those of a whole upload and of one in parts, as their ETags."""
    parts = s3.create_multipart_upload(Bucket="the-lake", Key=f"{FOLDER}Voyage_1")["UploadId"]
    upload = {"Bucket": "the-lake", "Key": f"{FOLDER}Voyage_1", "UploadId": parts}
    half = 6 << 20
    etags = [
        s3.upload_part(**upload, PartNumber=number, Body=body)["ETag"]
        for number, body in enumerate((large[:half], large[half:-1] + last), 1)
    ]
    listed = [{"PartNumber": number, "ETag": etag} for number, etag in enumerate(etags, 1)]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": listed})
    assert states(found()) == {"20260131-23": state}


def test_large_files_are_copied_in_parts(s3: ConditionalS3, large: bytes) -> None:
    assert found("--yes")["bytes"] == len(large)
    assert lake(s3) == {f"{FOLDER}Voyage_1": large}
    assert s3.copied == []


@pytest.mark.parametrize(
    ("bucket", "problem"),
    [("the-other", "the source's file changed since it was listed"), ("the-lake", "7 bytes lie there, not 11,534,336")],
)
def test_a_large_file_that_changes_meanwhile_is_not_copied(
    s3: ConditionalS3, large: bytes, bucket: str, problem: str
) -> None:
    s3.before_copy("Voyage_1", lambda: put(s3, "Voyage_1", bucket=bucket, body=b"another"))
    assert f"failed {FOLDER}Voyage_1: {problem}" in run("--yes", code=1).stderr
    assert large not in lake(s3).values()
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="the-lake")


def test_hostile_keys_are_counted_and_ignored(s3: ConditionalS3) -> None:
    put(s3, "Voyage_1")
    put(s3, "../up", "sub/Voyage_1", "", "a\\b")
    put(s3, "x", folder=f"{ROOT}20260230/00/")
    put(s3, "x", "y/z", folder=ROOT)
    put(s3, "x", folder="IMOSDL/Hourly/20260131/22/")
    document = found("--yes")
    assert (document["files"], document["ignored"]) == (1, 7)
    assert list(lake(s3)) == [f"{FOLDER}Voyage_1"]


def test_the_older_layout_is_mapped_to_ours_and_the_other_flow_never_copied(
    s3: ConditionalS3, stage: Deployment
) -> None:
    stage.__dict__["outputs"]["ExportEnvironment"] = "Prod"
    put(s3, *NAMES)
    assert found("--yes")["slots"] == []
    assert "never mixed" in run("--yes", source=f"s3://the-other/{ROOT}", code=1).stderr
    put(s3, "Voyage_1", folder="IMOS/Hourly/20220208/08/")
    assert found("--yes", source="s3://the-other/IMOS/Hourly")["files"] == 1
    assert list(lake(s3)) == ["IMOSDL/Hourly/20220208/08/Voyage_1"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--source", "s3://The Other"], "no S3 URL"),
        (["--source", "s3://the-other/elsewhere/"], "no prefix of a known flow"),
        (["--source", "s3://the-lake"], "own lake"),
        (["--source", "s3://nowhere-at-all"], "no bucket nowhere-at-all"),
        (["--from", "20260201-00", "--to", "20260131-00"], "no hour from 20260201-00 to 20260131-00"),
    ],
)
@pytest.mark.usefixtures("s3")
def test_what_cannot_be_compared_is_one_sentence(arguments: list[str], said: str) -> None:
    result = run(*arguments, code=1)
    assert result.stdout == ""
    assert said in result.stderr
