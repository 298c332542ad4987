"""`sluice ingest` against S3 and DynamoDB."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.platform.session import Deployment
from sluice.aws.runtime import Item, to_dynamodb
from tests.support.cli_environment import sluice, sluice_json


class RecordingBucket:
    """The source bucket's client; an object that is put gets the ledger item that `validate` makes of it."""

    def __init__(self, stage: Deployment) -> None:
        self.s3, self.dynamodb = stage.s3, stage.dynamodb
        self.validate: Callable[[str, bytes], Item | None] = lambda _, body: {
            "status": "validated",
            "events": len(body),
        }
        self.puts: list[str] = []

    def put_object(self, **request: Any) -> Any:
        answer = self.s3.put_object(**request)
        self.puts.append(request["Key"])
        body = self.s3.get_object(Bucket=request["Bucket"], Key=request["Key"])["Body"].read()
        if item := self.validate(request["Key"], body):
            self.record(request["Key"], answer["ETag"].strip('"'), **item)
        return answer

    def record(self, key: str, etag: str, **attributes: Any) -> None:
        item = to_dynamodb({"pk": f"source#the-source/{key}", "sk": etag, **attributes})
        self.dynamodb.put_item(TableName="the-ledger", Item=item)


@pytest.fixture(autouse=True)
def bucket(stage: Deployment) -> RecordingBucket:
    bucket = RecordingBucket(stage)
    stage.__dict__["s3"] = bucket
    return bucket


def files(root: Path, count: int = 3) -> Path:
    for i in range(count):
        (root / f"file-{i:03}").write_bytes(b"x" * (i + 1))
    return root


def test_files_are_uploaded_and_their_records_reported_in_order(tmp_path: Path, bucket: RecordingBucket) -> None:
    bucket.validate = lambda _, body: {
        "status": "validated",
        "events": len(body),
        "clean": {"A_PRED": 1},
        "dirty": {"RULE_BROKEN": 2},
        "unrelated": 3,
    }
    found = sluice_json("ingest", files(tmp_path))
    assert [file["key"] for file in found["files"]] == ["file-000", "file-001", "file-002"]
    assert found["files"][1] == {
        "key": "file-001",
        "status": "validated",
        "bytes": 2,
        "events": 2,
        "clean": {"A_PRED": 1},
        "dirty": {"RULE_BROKEN": 2},
        "unrelated": 3,
    }
    assert found["totals"] == {
        "files": 3,
        "events": 6,
        "clean": {"A_PRED": 3},
        "dirty": {"RULE_BROKEN": 6},
        "unrelated": 9,
    }


@pytest.mark.parametrize("name", ["a+b", "a%2Bb", "é"])
def test_keys_and_bytes_arrive_as_they_are(tmp_path: Path, bucket: RecordingBucket, name: str) -> None:
    body = bytes(range(256)) * 50
    (tmp_path / name).write_bytes(body)
    assert sluice_json("ingest", tmp_path / name)["files"][0]["bytes"] == len(body)
    assert bucket.s3.get_object(Bucket="the-source", Key=name)["Body"].read() == body


def test_known_files_are_not_uploaded_again_and_keep_their_counts(tmp_path: Path, bucket: RecordingBucket) -> None:
    first = sluice_json("ingest", files(tmp_path))
    bucket.puts.clear()
    second = sluice_json("ingest", tmp_path)
    assert bucket.puts == []
    assert {file["status"] for file in second["files"]} == {"known"}
    assert second["totals"] == first["totals"]


def test_other_content_under_a_known_key_is_uploaded(tmp_path: Path, bucket: RecordingBucket) -> None:
    sluice_json("ingest", files(tmp_path, 1))
    (tmp_path / "file-000").write_bytes(b"longer")
    (found,) = sluice_json("ingest", tmp_path)["files"]
    assert (found["status"], found["events"], bucket.puts) == ("validated", 6, ["file-000", "file-000"])


def test_a_file_that_was_gone_is_uploaded_again(tmp_path: Path, bucket: RecordingBucket) -> None:
    etag = hashlib.md5(b"x", usedforsecurity=False).hexdigest()
    bucket.record("file-000", etag, status="gone", recorded_at="2024-01-01T00:00:00Z")
    (found,) = sluice_json("ingest", files(tmp_path, 1))["files"]
    assert (found["status"], bucket.puts) == ("validated", ["file-000"])


def test_a_file_without_record_times_out_and_fails_the_command(tmp_path: Path, bucket: RecordingBucket) -> None:
    bucket.validate = lambda key, _: None if key == "file-001" else {"status": "validated"}
    found = sluice_json("ingest", files(tmp_path), "--timeout", "0.3", code=1)
    assert [file["status"] for file in found["files"]] == ["validated", "timed_out", "validated"]
    assert found["totals"]["files"] == 3


@pytest.mark.parametrize(("status", "code"), [("refused", 0), ("gone", 1), ("unreadable", 1)])
def test_files_that_are_not_read_fail_it(tmp_path: Path, bucket: RecordingBucket, status: str, code: int) -> None:
    bucket.validate = lambda *_: {"status": status}
    (found,) = sluice_json("ingest", files(tmp_path, 1), code=code)["files"]
    assert found["status"] == status


def test_the_table_goes_to_standard_output_the_rest_to_standard_error(tmp_path: Path, bucket: RecordingBucket) -> None:
    bucket.validate = lambda *_: {"status": "gone", "events": 0}
    result = sluice("ingest", files(tmp_path, 1), code=1)
    assert "1 file, 0 events" in result.stdout
    assert "gone file-000" in result.stderr


def test_a_path_that_does_not_exist_is_refused_before_any_upload(tmp_path: Path, bucket: RecordingBucket) -> None:
    result = sluice("ingest", *(files(tmp_path), tmp_path / "nope"), code=1)
    assert result.stdout == ""
    assert "There is no file" in result.stderr
    assert bucket.puts == []
