"""Words and dates of servers are read, whatever they hold."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.http.answers import quoted, sent_at
from sluice.http.redaction import Redactor


@pytest.mark.parametrize(
    ("words", "quote"),
    [
        ("the secret a/b +c is wrong", "the secret *** is wrong"),
        ("a%2Fb%20%2Bc, a/b%20%2Bc or a%2Fb+%2Bc", "***, *** or ***"),
        ("see https://host/x?sig=1 or S3://bucket/key", "see *** or ***"),
        ("red\x1b[31m\r\n\u202etxt", "red [31m   txt"),
        ("x" * 500, "x" * 200),
        ("x" * 195 + "a/b +c", "x" * 195 + "***"),
    ],
)
def test_words_are_quoted_without_secrets_and_addresses(words: str, quote: str) -> None:
    assert quoted(words, Redactor("a/b +c", "")) == quote


@given(st.text(), st.lists(st.text(min_size=1), max_size=2))
def test_quotes_are_printable_and_short(text: str, secrets: list[str]) -> None:
    said = quoted(text, Redactor(*secrets))
    assert said.isprintable()
    assert len(said) <= 200


TOO_LATE, NO_ZONE = "Fri, 31 Dec 9999 23:59:59 -0100", "Sun, 01 Mar 2026 12:00:00 +9999"


@pytest.mark.parametrize(
    ("header", "moment"),
    [
        ("Sun, 01 Mar 2026 12:00:00 GMT", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 12:00:00 -0000", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 12:00:00 +0200", datetime(2026, 3, 1, 10, tzinfo=UTC)),
        *((none, None) for none in (None, "", "yesterday", "Sun, 99 Mar 2026 12:00:00 GMT", TOO_LATE, NO_ZONE)),
    ],
)
def test_the_date_of_an_answer(header: str | None, moment: datetime | None) -> None:
    assert sent_at(header) == moment


@given(st.text())
def test_any_date(header: str) -> None:
    assert isinstance(sent_at(header), datetime | None)
