"""The vendor's answers and words are read, whatever they hold."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.http.answers import Answer
from sluice.http.redaction import Redactor
from sluice.vendor_exports.client.api import JobStatus, ListedFile, listed_files

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 63) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[" * 100_000, b'{"a": NaN}', b'{"a"', b"<html>", b'{"a": "\\ud800"}', b"1" * 10_000 + b"x"]
)
def test_a_body_that_is_no_json(body: bytes) -> None:
    answer = Answer(200, body, None)
    assert (answer.document(), answer.text("a"), answer.word("a")) == (None, None, None)
    assert listed_files(answer.document(), Redactor()) is None


@pytest.mark.parametrize(
    ("value", "text", "word"),
    [
        ("x", "x", "x"),
        ("", None, ""),
        (" \n", None, " \n"),
        (None, None, "<NoneType>"),
        (7, None, "<int>"),
        (["x"], None, "<list>"),
        ({"x": 1}, None, "<dict>"),
    ],
)
def test_members(value: Any, text: str | None, word: str) -> None:
    answer = Answer(200, orjson.dumps({"a": value}), None)
    assert (answer.text("a"), answer.word("a")) == (text, word)
    assert (answer.text("b"), answer.word("b")) == (None, None)


@given(JSON)
def test_any_document(document: Any) -> None:
    answer = Answer(200, orjson.dumps(document, option=orjson.OPT_PASSTHROUGH_SUBCLASS), None)
    assert isinstance(answer.text("a"), str | None)
    listed = listed_files(answer.document(), Redactor())
    assert (listed is None) == (not isinstance(document, list))
    assert listed is None or len(listed) == len(document)


def test_entries_of_the_list() -> None:
    assert listed_files(
        [{"key": "a", "presignedDownloadURL": "u", "size": 3}, {"key": 7, "size": "x"}, None, "text"], Redactor()
    ) == [ListedFile("a", "u", 3), ListedFile("", "", "x"), ListedFile("", "", None), ListedFile("", "", None)]


def test_entries_of_a_list_in_other_forms() -> None:
    entry = {"Key": "a", "presigned_download_url": "\r\n https://x \u00a0", "SIZE": "3"}
    assert listed_files([entry], Redactor()) == [ListedFile("a", "https://x", "3")]


def test_representations_say_nothing_secret() -> None:
    assert "SIGNATURE" not in repr(ListedFile("key", "https://host/?SIGNATURE", 1))
    assert "TOKEN" not in repr(Answer(200, b'{"access_token": "TOKEN"}', None))


# Statuses


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (JobStatus.COMPLETE, ["Complete", " COMPLETED\n"]),
        (JobStatus.FAILED, ["Failed", "Job failure"]),
        (JobStatus.ERROR, ["Completed with errors", "ERROR"]),
        (JobStatus.CANCELLED, ["Cancelled by user"]),
        (JobStatus.ABORTED, ["aborted"]),
        (JobStatus.RUNNING, ["Running", "In Progress", "IN-PROGRESS", "Initializing"]),
        (JobStatus.UNKNOWN, ["Completing", "Incomplete", "complete?", "99 % complete", "Replicating 45%", "Success"]),
        (JobStatus.UNKNOWN, ["", "<NoneType>"]),
    ],
)
def test_words_of_a_status(status: JobStatus, words: list[str]) -> None:
    assert {JobStatus.of(word) for word in words} == {status}


def test_terminal_statuses() -> None:
    assert [status for status in JobStatus if not status.is_terminal] == [JobStatus.RUNNING, JobStatus.UNKNOWN]


@given(st.text())
def test_any_word_has_a_status_and_only_one_word_is_the_end(word: str) -> None:
    status = JobStatus.of(word)
    assert (status is JobStatus.COMPLETE) == (
        "".join(word.lower().replace("-", "").replace("_", "").split()) in {"complete", "completed"}
    )
