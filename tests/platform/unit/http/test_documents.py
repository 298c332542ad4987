"""JSON is read leniently where its meaning is plain, and only there."""

from typing import Any

import orjson
import pytest

from sluice.http.answers import Answer
from sluice.http.documents import member, parsed, spelled, whole_number

DOCUMENT = {"Message": "schön"}
TEXT = orjson.dumps(DOCUMENT).decode()


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        *((TEXT.encode(coding), "") for coding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")),
        (TEXT.encode("cp1252"), "ISO-8859-1"),
        (TEXT.encode("cp1252"), "windows-1252"),
        (orjson.dumps(TEXT), "utf-8"),
    ],
)
def test_codings(body: bytes, charset: str) -> None:
    assert parsed(body, charset) == DOCUMENT


@pytest.mark.parametrize("body", [TEXT.encode("cp1252"), b"\xff\xfe{", b"\xef\xbb\xbf", b""])
def test_what_is_no_json_in_any_plain_coding(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        parsed(body, "zlib")


@pytest.mark.parametrize("text", ["x", "7", "null", '"{}"'])
def test_a_text_that_is_no_document_stays_a_text(text: str) -> None:
    assert parsed(orjson.dumps(text)) == text


@pytest.mark.parametrize(
    "name", ["JobGuid", "jobGuid", "jobguid", "JOBGUID", "job_guid", "Job-Guid", "JOB_GUID", "job guid"]
)
def test_member_names_in_any_style(name: str) -> None:
    assert member({"other": 1, name: "x"}, "JobGuid") == "x"
    assert spelled({name: None}, "JobGuid") == name


def test_the_exact_name_comes_first_and_another_name_is_none() -> None:
    assert member({"jobGuid": "b", "JobGuid": "a"}, "JobGuid") == "a"
    assert spelled({"Job": 1, "Guid": 2, "JobGuid2": 3}, "JobGuid") is None
    assert member(["JobGuid"], "JobGuid") is None


@pytest.mark.parametrize(
    ("value", "number"),
    [
        *(
            (value, 123)
            for value in (123, "123", 123.0, "123.0", "123.", "123.000", " 123\u00a0", "+123", "0123", 1.23e2)
        ),
        *((value, 0) for value in (0, 0.0, -0.0, "0", "0.0")),
        (-1, -1),
        *(
            (value, None)
            for value in (123.5, "123.5", "1e3", "1,234", "1 234", "-1", "12 kB", "0x10", "", " ", "\u0661")
        ),
        *((value, None) for value in (None, True, False, [1], {"size": 1}, float("inf"), "9" * 5000)),
    ],
)
def test_whole_numbers(value: Any, number: int | None) -> None:
    assert whole_number(value) == number


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"message": " Too early. "}', "Too early."),
        (b'{"title": "Bad Request", "detail": "Too early."}', "Too early."),
        (b'{"error": "invalid_client"}', "invalid_client"),
        (b'"Too early."', "Too early."),
        (b"Too early.\n", "Too early."),
        *((body, None) for body in (b"", b"null", b"7", b"{}", b"[", b"<html>Too early.</html>", b'{"Message": 7}')),
    ],
)
def test_what_a_server_says(body: bytes, sentence: str | None) -> None:
    assert Answer(400, body, None).sentence() == sentence
