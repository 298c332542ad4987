"""Extraction of an endpoint: every page, whatever happens to the rows between two of them."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest

from sluice.api_pull.extraction import Extraction, Limits, raw_pages
from sluice.api_pull.model import Pull, PullError
from sluice.api_pull.progress import ExtractProgress
from sluice.http.patience import Patience
from tests.api_pull.application import Application, always, once, track
from tests.support.memory_object_store import MemoryObjectStore
from tests.support.scripted_server import said

PULL = Pull("20261130T020000000000Z-0000000f", "2026-11-30", "arn:execution")
LIMITS = Limits(page_size=100, part_bytes=50_000, max_pages=40, max_bytes=1 << 20, max_seconds=600, restarts=3)
HTML = httpx.Response(200, content=b"<html>Maintenance</html>")


class Extracting:
    """Extracts tracks of an application call by call, the progress read again from JSON in between."""

    def __init__(self, application: Application, limits: Limits = LIMITS, pages_a_call: int = 1000) -> None:
        self.application, self.limits, self.pages_a_call = application, limits, pages_a_call
        self.lake = MemoryObjectStore()
        self.progress = ExtractProgress()
        self.calls = itertools.count()

    def call(self) -> ExtractProgress:
        extraction = Extraction(
            PULL,
            "tracks",
            "id",
            source=self.application.source(),
            lake=self.lake,
            limits=self.limits,
            patience=Patience(120, 60, 60),
            token=f"call{next(self.calls)}",
        )
        times = iter([True] * self.pages_a_call)
        progress = ExtractProgress.from_json(orjson.loads(orjson.dumps(self.progress)))
        self.progress = extraction.proceed(progress, lambda: next(times, False), lambda: 0.0)
        return self.progress

    def run(self) -> ExtractProgress:
        while self.call().next_step != "extracted":
            pass
        return self.progress

    def ids(self) -> list[Any]:
        pages = [raw_pages(self.lake.read(part.key)) for part in self.progress.counted_parts]
        return [row["id"] for some in pages for page in some for row in page["items"]]


@pytest.mark.parametrize("pages_a_call", [3, 1000], ids=["a page or two a call", "all in one"])
@pytest.mark.parametrize("rows", [0, 1, 100, 101, 950])
def test_every_row_comes_once(rows: int, pages_a_call: int) -> None:
    extracting = Extracting(Application(tracks=[track(each) for each in range(rows)]), pages_a_call=pages_a_call)
    progress = extracting.run()
    assert extracting.ids() == [*range(rows)]
    assert (progress.restarts, progress.note, progress.is_union) == (0, "", False)
    assert progress.pages == max(1, -(-rows // 100)) == sum(part.pages for part in progress.parts)
    assert all(
        key.startswith(f"raw/tracks/snapshot_date=2026-11-30/{PULL.pull_id}/") for key in extracting.lake.objects
    )


def changes(application: Application) -> dict[str, Callable[[], object]]:
    rows = application.tracks
    return {
        "a row is added": lambda: rows.append(track(9999)),
        "a row is gone": lambda: rows.pop(0),
        "a row moves to the end": lambda: rows.append(rows.pop(0)),
        "one is added in front, one gone": lambda: rows.insert(0, {**rows.pop(), "id": 9999}),
    }


@pytest.mark.parametrize("change", changes(Application()))
@pytest.mark.parametrize("page", [2, 3])
def test_a_change_between_two_pages_starts_it_over(change: str, page: int) -> None:
    application = Application()
    application.before = once(changes(application)[change], "tracks", page)
    extracting = Extracting(application, pages_a_call=2)
    progress = extracting.run()
    assert progress.restarts == 1
    assert progress.note
    assert extracting.ids() == [row["id"] for row in application.tracks]
    assert not progress.is_union


def test_a_page_that_comes_twice_starts_it_over() -> None:
    application = Application()
    twice = [said(200, {**application.page("tracks", 1), "page": 2})]
    application.before = lambda _, page: twice.pop() if page == 2 and twice else None
    extracting = Extracting(application)
    assert extracting.run().restarts == 1
    assert extracting.ids() == [row["id"] for row in application.tracks]


def test_rows_that_never_hold_still_are_united() -> None:
    application = Application()
    numbers = itertools.count(1000)

    def grow(_: str, page: int) -> None:
        if page == 2:
            application.tracks.append(track(next(numbers)))

    application.before = grow
    extracting = Extracting(application)
    progress = extracting.run()
    assert (progress.is_union, progress.restarts) == (True, LIMITS.restarts)
    assert "the total went from" in progress.note
    assert set(extracting.ids()) == {row["id"] for row in application.tracks}


def test_a_total_that_lies_is_no_reason_to_give_up() -> None:
    application = Application()
    pages = [(("tracks", page), said(200, {**application.page("tracks", page), "total": 260})) for page in (1, 2, 3)]
    application.before = always(pages)
    extracting = Extracting(application)
    assert extracting.run().is_union
    assert "250 rows came, 260 were announced" in extracting.progress.note
    assert set(extracting.ids()) == {*range(1, 251)}


def test_an_absurd_total_ends_where_empty_pages_begin() -> None:
    application = Application()
    absurd = {"total": 10**12, "pages": 1}
    application.before = lambda _, page: said(200, {**application.page("tracks", page), **absurd})
    extracting = Extracting(application)
    assert extracting.run().is_union
    assert extracting.progress.note == "250 rows came, 1,000,000,000,000 were announced"
    assert set(extracting.ids()) == {*range(1, 251)}


def test_a_server_that_gives_fewer_rows_a_page_is_followed() -> None:
    application = Application()
    application.before = lambda _, page: said(200, application.page("tracks", page, 40))
    extracting = Extracting(application)
    assert (extracting.run().restarts, extracting.progress.pages) == (0, 7)
    assert extracting.ids() == [row["id"] for row in application.tracks]


def test_what_is_no_page_is_asked_for_again() -> None:
    application = Application()
    left = [said(200, {"items": None}), said(200, [])]
    application.before = lambda _, page: left.pop() if page == 2 and left else None
    extracting = Extracting(application)
    assert extracting.run().restarts == 0
    assert extracting.ids() == [row["id"] for row in application.tracks]


def test_doubles_of_the_source_are_no_movement() -> None:
    application = Application(tracks=[track(each) for each in [*range(150), 7, *range(200, 299)]])
    extracting = Extracting(application)
    progress = extracting.run()
    assert (progress.restarts, progress.is_union) == (1, False)
    assert extracting.ids() == [row["id"] for row in application.tracks]


@pytest.mark.parametrize("grows", [False, True], ids=["the same page", "new rows"])
def test_pages_that_never_end_are_noticed(grows: bool) -> None:
    application = Application()

    def endless(_: str, page: int) -> httpx.Response:
        first = 100 * page if grows else 0
        items = [track(each) for each in range(first, first + 100)]
        return said(200, {"items": items, "total": 10**6, "page": page, "size": 100, "pages": 10**4})

    application.before = endless
    with pytest.raises(PullError, match="may never end") as error:
        Extracting(application).run()
    assert "page 4" in str(error.value) or "more than 40 pages" in str(error.value)


@pytest.mark.parametrize(
    ("answer", "said_of_it"),
    [
        (said(404, {"detail": "Not Found"}), 'GET /tracks page=2 size=100: the server answered 404: "Not Found"'),
        (said(200, {"rows": []}), "the answer has no list of items"),
        (said(200, {"items": []}), "the answer says no total"),
    ],
)
def test_an_answer_of_no_use_says_what_and_where(answer: httpx.Response, said_of_it: str) -> None:
    with pytest.raises(PullError) as error:
        Extracting(Application(before=always([(("tracks", 2), answer)]))).run()
    assert said_of_it in str(error.value)


@pytest.mark.parametrize("answer", [said(503), HTML, said(429, retry_after="45"), httpx.ConnectError("no")])
def test_a_busy_source_is_waited_for_and_pages_that_came_are_kept(answer: httpx.Response | Exception) -> None:
    busy = [True]
    application = Application(before=lambda _, page: answer if page == 2 and busy else None)
    extracting = Extracting(application)
    progress = extracting.call()
    assert progress.next_step == "wait"
    assert progress.wait_seconds == 60
    assert [part.pages for part in progress.parts] == [1]
    busy.clear()
    assert extracting.run().restarts == 0
    assert extracting.ids() == [row["id"] for row in application.tracks]
    assert progress.seconds == 60


def test_patience_ends() -> None:
    extracting = Extracting(Application(before=always([(("tracks", 2), said(503))])))
    with pytest.raises(PullError, match=r"answered 503.* 5 times \(after 120 s of waiting\)"):
        extracting.run()
    assert extracting.progress.retries


@pytest.mark.parametrize(
    ("limits", "what"),
    [
        (replace(LIMITS, max_bytes=10_000), "more than 10,000 bytes at page 1"),
        (replace(LIMITS, max_pages=2), "more than 2 pages"),
        (replace(LIMITS, max_seconds=-1), "took more than"),
    ],
)
def test_nothing_is_larger_than_it_may_be(limits: Limits, what: str) -> None:
    with pytest.raises(PullError, match=what):
        Extracting(Application(), limits).run()


def crashes(at: int) -> Iterator[None]:
    for number in itertools.count():
        if number == at:
            raise KeyboardInterrupt
        yield


@pytest.mark.parametrize("at", range(6))
def test_a_call_that_crashed_is_made_again(at: int) -> None:
    extracting = Extracting(Application(), replace(LIMITS, part_bytes=1), pages_a_call=2)
    crash = crashes(at)
    extracting.lake.between = lambda: next(crash, None)
    for _ in range(10):
        try:
            if extracting.call().next_step == "extracted":
                break
        except KeyboardInterrupt:
            extracting.lake.between = lambda: None
    assert extracting.ids() == [row["id"] for row in extracting.application.tracks]
