"""`sluice ingest` against S3 and DynamoDB."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.event_files import ingest
from cli.main import app
from cli.platform.session import Deployment
from tests.support.stand_in import Pipeline


@pytest.fixture(autouse=True)
def _connected(stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "connect", lambda _: stage)


def ingest(*arguments: Any, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["ingest", *map(str, arguments), "--json"])
    assert result.exit_code == code, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def files(root: Path, count: int = 3) -> Path:
    for i in range(count):
        (root / f"file-{i:03}").write_bytes(b"x" * (i + 1))
    return root


def test_files_are_uploaded_and_their_records_reported_in_order(tmp_path: Path, pipeline: Pipeline) -> None:
    pipeline.validate = lambda _, body: {
        "status": {"S": "validated"},
        "events": {"N": str(len(body))},
        "clean": {"M": {"A_PRED": {"N": "1"}}},
        "dirty": {"M": {"RULE_BROKEN": {"N": "2"}}},
        "unrelated": {"N": "3"},
    }
    found = ingest(files(tmp_path))
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


@pytest.mark.parametrize("name", ["a b", "a+b", "a%2Bb", "é", "date=2024-01-01"])
def test_keys_and_bytes_arrive_as_they_are(tmp_path: Path, pipeline: Pipeline, name: str) -> None:
    body = bytes(range(256)) * 50
    (tmp_path / name).write_bytes(body)
    assert ingest(tmp_path / name)["files"][0]["bytes"] == len(body)
    assert pipeline.s3.get_object(Bucket="the-source", Key=name)["Body"].read() == body


def test_known_files_are_not_uploaded_again_and_keep_their_counts(tmp_path: Path, pipeline: Pipeline) -> None:
    first = ingest(files(tmp_path))
    pipeline.puts.clear()
    second = ingest(tmp_path)
    assert pipeline.puts == []
    assert {file["status"] for file in second["files"]} == {"known"}
    assert second["totals"] == first["totals"]


def test_other_content_under_a_known_key_is_uploaded(tmp_path: Path, pipeline: Pipeline) -> None:
    ingest(files(tmp_path, 1))
    (tmp_path / "file-000").write_bytes(b"longer")
    (found,) = ingest(tmp_path)["files"]
    assert (found["status"], found["events"], pipeline.puts) == ("validated", 6, ["file-000", "file-000"])


def test_a_file_that_was_gone_is_uploaded_again(tmp_path: Path, pipeline: Pipeline) -> None:
    etag = hashlib.md5(b"x", usedforsecurity=False).hexdigest()
    pipeline.record("file-000", etag, status={"S": "gone"}, recorded_at={"S": "2024-01-01T00:00:00Z"})
    (found,) = ingest(files(tmp_path, 1))["files"]
    assert (found["status"], pipeline.puts) == ("validated", ["file-000"])


def test_a_file_without_record_is_told_and_fails_the_command(tmp_path: Path, pipeline: Pipeline) -> None:
    pipeline.validate = lambda key, _: None if key == "file-001" else {"status": {"S": "validated"}}
    found = ingest(files(tmp_path), "--timeout", "0.3", code=1)
    assert [file["status"] for file in found["files"]] == ["validated", "timed_out", "validated"]
    assert found["totals"]["files"] == 3


@pytest.mark.parametrize(("status", "code"), [("refused", 0), ("gone", 1), ("unreadable", 1)])
def test_the_exit_code_says_whether_every_file_came_to_a_good_end(
    tmp_path: Path, pipeline: Pipeline, status: str, code: int
) -> None:
    pipeline.validate = lambda *_: {"status": {"S": status}}
    (found,) = ingest(files(tmp_path, 1), code=code)["files"]
    assert found["status"] == status


def test_more_files_than_one_look_up_takes(tmp_path: Path, pipeline: Pipeline) -> None:
    found = ingest(files(tmp_path, 205))
    assert found["totals"] == {"files": 205, "events": 205 * 206 / 2, "clean": {}, "dirty": {}, "unrelated": 0}
    assert len(pipeline.puts) == 205


def test_people_get_a_table_on_standard_output_and_the_rest_elsewhere(tmp_path: Path, pipeline: Pipeline) -> None:
    pipeline.validate = lambda *_: {"status": {"S": "gone"}, "events": {"N": "0"}}
    result = CliRunner().invoke(app, ["ingest", str(files(tmp_path, 1))])
    assert result.exit_code == 1
    assert "1 file, 0 events" in result.stdout
    assert "gone file-000" in result.stderr


def test_a_path_that_does_not_exist_is_one_sentence(tmp_path: Path, pipeline: Pipeline) -> None:
    result = CliRunner().invoke(app, ["ingest", str(tmp_path / "nope")])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "There is no file" in result.stderr
    assert pipeline.puts == []
