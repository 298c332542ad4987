"""Names are untrusted: nothing they hold becomes a tag, and everything can be encoded."""

from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.html_report.text import MAX_CHARACTERS, in_hover, in_html

any_text = st.text(st.characters(codec=None), max_size=200)


class Tags(HTMLParser):
    """Counts tags."""

    found = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.found += 1


@given(any_text)
def test_no_name_makes_a_tag_or_leaves_an_attribute(name: str) -> None:
    written, tags = in_html(name), Tags()
    tags.feed(written + "<i>")
    assert tags.found == 1
    assert not set(written) & set("<>\"'")
    written.encode()


@given(st.lists(any_text, max_size=12))
def test_hover_texts_hold_no_tags_but_line_breaks_and_stay_short(names: list[str]) -> None:
    lines = in_hover(tuple(names)).split("<br>")
    assert not set("".join(lines)) & set("<>")
    assert len(lines) <= 3
    assert all(len(unescape(line)) <= 40 for line in lines)
    in_hover(tuple(names)).encode()


@given(st.from_regex(r"[A-Za-z0-9._]{1,100}", fullmatch=True))
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert in_html(name) == name


@pytest.mark.parametrize("name", ["a\u202eb", "a\x00b", "a\nb", "a\ud800b", "a\u2028b"])
def test_unprintable_characters_are_replaced(name: str) -> None:
    assert in_html(name) == "a\N{REPLACEMENT CHARACTER}b"


def test_long_names_are_cut() -> None:
    assert in_html("x" * 101) == "x" * (MAX_CHARACTERS - 1) + "…"
