"""The page: one file, whole, harmless, and the same for the same rows."""

import json
import random
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from plotly.offline import get_plotlyjs

from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.completeness.report.page import report_page
from sluice.vendor_exports.completeness.slot_history import SlotHistory
from tests.vendor_exports.unit.completeness.report.slot_rows import absent, row
from tests.vendor_exports.unit.completeness.report.test_plots import TITLES

HOSTILE = ("</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "\"'><a href='https://e.vil'>", "<!--")
ROWS = [row(0), absent(1), *(row(hours, ["Port"]) for hours in range(2, 40)), row(40, unexpected=["New"])]


class Structure(HTMLParser):
    """Elements, their ids, and what they refer to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def values(self, *names: str) -> list[str | None]:
        return [value for name, value in self.attributes if name in names]


def page_of(rows: list[SlotHistory], out_of_scope: tuple[str, ...] = ()) -> str:
    """The page without Plotly's own text."""
    page = report_page(Environment.TEST, rows, out_of_scope).decode()
    assert page.count(get_plotlyjs()) == bool(rows)
    return page.replace(get_plotlyjs(), "")


def packed_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="plots-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    packed: dict[str, Any] = json.loads(found[1])
    return packed


def test_the_page_has_every_part() -> None:
    page = page_of(ROWS, ("AuditLog",))
    ids = Structure(page).values("id")
    parts = {"headline", "scope", "level-calendar", "months", "open-gaps", "odd-jobs", "plots-data", *TITLES}
    assert parts <= set(ids)
    assert len(ids) == len(set(ids))
    assert set(packed_of(page)["figures"]) == {"level-calendar", *TITLES}
    assert "AuditLog" in page


def test_the_page_refers_to_nothing_outside() -> None:
    page = page_of(ROWS)
    structure = Structure(page)
    assert "http:" not in page
    assert "https:" not in page
    assert not structure.values("src", "srcset", "action")
    assert not re.search(r"url\(|@import", page)
    assert structure.tags.count("script") == 3


def test_the_policy_allows_the_pages_scripts_alone() -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page_of(ROWS))
    assert policy.startswith("default-src 'none'; ")
    assert re.search(r"script-src 'sha256-[^']+' 'sha256-[^']+'$", policy)


def test_plotly_cannot_end_its_script_element() -> None:
    assert not re.search(r"</script|<!--", get_plotlyjs(), re.IGNORECASE)


def test_hostile_names_are_texts() -> None:
    tame = page_of([row(0, ["a", "b", "c", "d"], unexpected=["a", "b", "c", "d"])], ("a", "b", "c", "d"))
    page = page_of([row(0, HOSTILE, unexpected=HOSTILE)], HOSTILE)
    assert Structure(page).tags == Structure(tame).tags
    assert page.lower().count("</script") == tame.lower().count("</script") == 3
    assert set(re.findall(r"<\w*", "".join(packed_of(page)["texts"]))) == {"<br"}


def test_equal_rows_give_equal_bytes_in_any_order() -> None:
    shuffled = random.Random(1).sample([replace(each) for each in ROWS], len(ROWS))
    assert report_page(Environment.PROD, ROWS, ["A"]) == report_page(Environment.PROD, shuffled, ["A"])


def test_without_rows_the_page_says_so() -> None:
    page = page_of([], ("AuditLog",))
    assert "No hour has been recorded yet" in page
    assert "AuditLog" in page
    assert Structure(page).tags.count("script") == 1


@pytest.mark.parametrize("only", [row(0), absent(0)])
def test_one_row_is_enough(only: SlotHistory) -> None:
    assert packed_of(page_of([only]))["figures"]["files-hourly"]["data"][0]["y"] == [only.files]


def test_the_headline_counts_jobs_in_and_out() -> None:
    page = page_of(ROWS)
    assert "Jobs: 1 in level, 23 out (0 not delivered)" in page
    assert "Jobs: 2 in level, 39 out (1 not delivered)" in page
    assert "39 hours that lack a table or all" in page
    assert '<strong class="good">20260201-12</strong>' in page


def test_months_are_in_or_out() -> None:
    page = page_of([row(hours) for hours in range(28)] + [absent(28)])
    assert '<td>2026-01</td><td><span class="good">in</span></td>' in page
    assert '<td>2026-02</td><td><span class="bad">out</span></td>' in page


def test_long_lists_are_cut_and_say_what_is_left_out() -> None:
    page = page_of([absent(hours) if hours % 2 else row(hours) for hours in range(600)])
    assert "<summary>290 more</summary>" in page
    assert "and 190 more, not listed" in page


def test_many_names_unfold() -> None:
    names = [f"T{number:02d}" for number in range(25)]
    assert "T08, T09<details><summary>15 more</summary>T10, T11" in page_of([row(0, names)])


def test_ten_thousand_hours_stay_under_eight_megabytes() -> None:
    rows = [row(hours, [f"{table} of {hours}" for table in ("Bunker", "Claim", "Fixture")]) for hours in range(10_000)]
    assert len(report_page(Environment.PROD, rows, ())) < 8_000_000
