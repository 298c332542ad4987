"""The page: whole, harmless, without network, the same for the same digest."""

import json
import re
from datetime import timedelta

import pytest
from plotly.offline import get_plotlyjs

from sluice.observability.digest.model import Digest
from sluice.observability.digest.page import digest_page
from sluice.observability.digest.periods import Period, PeriodKind
from sluice.runs.model import RunRecord
from tests.platform.unit.digest.sample_runs import END, TABLES, busy_stage, conversion, digest_of, exported, hour, run
from tests.vendor_exports.unit.completeness.report.test_page import HOSTILE, Structure, packed_of

BUSY = busy_stage(END, 36, seed=2)
NEWEST = {table: END - timedelta(hours=number * 30) for number, table in enumerate(TABLES)}
PLOTS = {
    "events-hourly",
    "files-hourly",
    "bytes-hourly",
    "clean-share",
    "dirty-reasons",
    "table-rows",
    "convert-outcomes",
    "convert-steps",
    "exports-hourly",
}


def digest(kind: PeriodKind = PeriodKind.WEEK) -> Digest:
    return digest_of("int", Period(kind, END), BUSY, exported(END, 35), NEWEST, END + timedelta(hours=5))


def page_of(found: Digest) -> str:
    """The page without Plotly's own text."""
    return digest_page(found).decode().replace(get_plotlyjs(), "")


def hostile(name: str) -> Digest:
    """A digest in which every text that comes from outside is the given one."""
    at = END - timedelta(hours=3)
    runs = [
        conversion(at, table=name, dirty={name: {name: 4}}, links={"console": f"https://{name}"}),
        run(at, outcome="failed", cause=name, failed_step=name, links={"console": f"javascript:{name}"}),
        *(conversion(at - timedelta(minutes=number), seconds=1.0) for number in range(9)),
    ]
    return digest_of(name, Period(PeriodKind.DAY, END), runs, [hour(at, (name,))], {name: at}, END)


@pytest.mark.parametrize("kind", PeriodKind)
def test_every_plot_has_its_place(kind: PeriodKind) -> None:
    page = page_of(digest(kind))
    ids = Structure(page).values("id")
    assert set(packed_of(page)["figures"]) == PLOTS
    parts = {"headline", "notices", "volumes", "reasons", "tables-list", "failed-runs", "lost-hours", "costs"}
    assert PLOTS | parts <= set(ids)
    assert len(ids) == len(set(ids))


def test_a_table_that_is_wider_than_a_phone_scrolls_by_itself() -> None:
    page = page_of(digest())
    cards = re.findall(r'class="card( scroll)?" id="[^"]*"><table', page)
    assert len(cards) > 3
    assert set(cards) == {" scroll"}
    assert ".scroll { overflow-x: auto; }" in page


def test_links_lead_to_headings() -> None:
    structure = Structure(page_of(digest()))
    assert {f"#{name}" for name in structure.values("id")} >= set(structure.values("href")) - {"data:,"}


def test_equal_digests_give_equal_bytes() -> None:
    assert digest_page(digest()) == digest_page(digest())


def test_the_page_loads_nothing() -> None:
    page = page_of(digest())
    assert not Structure(page).values("src", "srcset", "action")
    assert not re.search(r"url\(|@import", page)
    assert "default-src 'none'" in page


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_texts_are_texts(name: str) -> None:
    tame, page = page_of(hostile("tame")), page_of(hostile(name))
    assert Structure(page).tags == Structure(tame).tags
    assert page.lower().count("</script") == tame.lower().count("</script") == 3
    assert not re.search(r"<(?!br>|extra>|/extra>)", json.dumps(packed_of(page)["figures"], ensure_ascii=False))


def test_only_addresses_of_consoles_become_links() -> None:
    links = Structure(page_of(hostile("tame"))).values("href")
    assert "https://tame" not in links, "the run did not fail"
    assert not [link for link in links if link and link.startswith("javascript")]
    failed = run(END - timedelta(hours=1), outcome="failed", links={"console": "https://aws.example/'\"><i>"})
    found = digest_of("int", Period(PeriodKind.DAY, END), [failed])
    assert "https://aws.example/'\"><i>" in Structure(page_of(found)).values("href")


def test_the_figures_are_those_of_the_digest() -> None:
    found = digest()
    figures = packed_of(page_of(found))["figures"]
    sums = {trace["name"]: sum(trace["y"]) for trace in figures["events-hourly"]["data"]}
    assert sums == {name: found.volume(name).value for name in ("clean", "dirty", "unrelated")}
    assert sum(sum(trace["y"]) for trace in figures["dirty-reasons"]["data"]) == found.volume("dirty").value
    outcomes = {trace["name"]: sum(trace["y"]) for trace in figures["convert-outcomes"]["data"]}
    assert sum(outcomes.values()) == 672
    assert outcomes["failed"] == found.total.failed("convert") > 0
    exports = {trace["name"]: sum(trace["y"]) for trace in figures["exports-hourly"]["data"]}
    assert exports == {"tables that came": 4 * 168 - 6, "missing": 6}


def test_an_empty_stage_has_a_page_without_plots_that_says_so() -> None:
    page = page_of(digest_of("local", Period(PeriodKind.DAY, END), []))
    assert "No run has been recorded in this time" in page
    assert "there is no earlier time to compare with yet" in page
    assert Structure(page).tags.count("script") == 1


@pytest.mark.parametrize(
    ("record", "plots"),
    [
        (conversion(END - timedelta(hours=1), 5, 0), PLOTS - {"dirty-reasons", "exports-hourly"}),
        (conversion(END - timedelta(hours=1), 0, 5), PLOTS - {"table-rows", "exports-hourly"}),
        (run(END - timedelta(hours=1), outcome="nothing_to_do"), {"convert-outcomes"}),
        (run(END - timedelta(hours=1), "export", "delivered"), set()),
    ],
)
@pytest.mark.parametrize("kind", [PeriodKind.DAY, PeriodKind.MONTH])
def test_plots_without_data_are_left_out(kind: PeriodKind, record: RunRecord, plots: set[str]) -> None:
    found = digest_of("local", Period(kind, END), [record])
    assert set(packed_of(page_of(found))["figures"]) == plots


def test_an_ordinary_time_says_that_nothing_is_odd() -> None:
    found = digest_of("local", Period(PeriodKind.DAY, END), [conversion(END - timedelta(hours=1))])
    assert "Nothing out of the ordinary." in page_of(found)


def test_a_month_stays_small() -> None:
    assert len(digest_page(digest(PeriodKind.MONTH))) < 6_000_000
