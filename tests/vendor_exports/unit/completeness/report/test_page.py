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
    parts = {
        "headline",
        "scope",
        "target-calendar",
        "months",
        "lost-hours",
        "missing-tables",
        "odd-jobs",
        "plots-data",
        *TITLES,
    }
    assert parts <= set(ids)
    assert len(ids) == len(set(ids))
    assert set(packed_of(page)["figures"]) == {"target-calendar", *TITLES}
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
    page = page_of([only])
    ids = Structure(page).values("id")
    assert len(ids) == len(set(ids))
    assert packed_of(page)["figures"]["files-hourly"]["data"][0]["y"] == [only.files]


def test_the_headline_counts_jobs_in_and_out() -> None:
    page = page_of(ROWS)
    assert "Jobs: 1 on target, 23 not (0 not delivered)" in page
    assert "Jobs: 2 on target, 39 not (1 not delivered)" in page
    assert '<strong class="bad">39 hours</strong><span>1 lost, 38 lack tables</span>' in page
    assert '<strong class="good">20260201-12</strong>' in page


def test_months_are_on_target_or_missed_it_with_sizes_that_show_something() -> None:
    page = page_of([row(hours, size=4100) for hours in range(28)] + [absent(28)])
    for month, mark, target, size in (("01", "good", "on target", "4.1 kB"), ("02", "bad", "missed", "0 B")):
        cells = f'<td><span class="slot">2026-{month}</span></td><td><span class="slot {mark}">{target}</span></td>'
        assert re.search(f"{cells}.*?{size}</td></tr>", page)


def test_a_young_history_says_that_it_has_no_baseline_and_uses_what_there_is() -> None:
    young = [row(hours, size=4100 if hours != 40 else 41_000) for hours in range(48)]
    page = page_of(young)
    assert "No baseline yet for 24 of the last 24 hours" in page
    assert "from 2026-02-20 on at the earliest" in page
    assert "Volume 10.00 times the usual" in page
    usual, delivered = packed_of(page)["figures"]["size-hourly"]["data"]
    assert usual["y"] == [None] * 3 + [4.1] * 45
    assert delivered["y"][-1] == 4.1
    assert "No baseline yet" not in page_of([replace(each, usual_size=4000) for each in young])


def test_a_young_history_shows_no_days_and_weeks_before_it() -> None:
    page = page_of([row(hours) for hours in range(48)])
    assert "Last 24 hours" in page
    assert "Last 7 days" not in page
    figures = packed_of(page)["figures"]
    assert figures["target-calendar"]["data"][0]["x"] == ["2026-01-26"]
    zooms = figures["files-hourly"]["layout"]["xaxis"]["rangeselector"]["buttons"]
    assert [zoom["label"] for zoom in zooms] == ["24 h", "all"]


def test_every_gap_is_listed() -> None:
    page = page_of([absent(hours) if hours % 2 else row(hours, ["Port"]) for hours in range(600)])
    assert page.count("<summary>290 more</summary>") == 2
    assert page.count("No delivery</td>") == page.count("1 table missing: Port</td>") == 300


def test_many_names_unfold() -> None:
    names = [f"T{number:02d}" for number in range(25)]
    assert "T08, T09<details><summary>15 more</summary>T10, T11" in page_of([row(0, names)])


def test_ten_thousand_hours_stay_under_eight_megabytes() -> None:
    rows = [row(hours, [f"{table} of {hours}" for table in ("Bunker", "Claim", "Fixture")]) for hours in range(10_000)]
    assert len(report_page(Environment.PROD, rows, ())) < 8_000_000
