"""Faults of pages: rows that come and go between two requests, other pages than asked for, totals that lie."""

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import Any

from cli.api_simulator.application import ApiFault, Page, Request, Rows
from cli.http_server.faults import Target

_MOVED = 5
_EARLY = 3  # requests that find the rows as they were
_HUGE_TEXT = 500_000


# Between two requests


def rows_added(target: Target) -> ApiFault:
    """Five rows are put in front of the others when three requests were answered: rows come twice."""
    return _rows(_later(target), lambda rows: _in_front(rows, _MOVED))


def rows_removed(target: Target) -> ApiFault:
    """The first five rows are gone when three requests were answered: others are skipped."""
    return _rows(_later(target), lambda rows: _without_first(rows, rows.total - _MOVED))


def rows_replaced(target: Target) -> ApiFault:
    """Five rows go at the front and five come at the end when three requests were answered: the total stays."""
    return _rows(_later(target), lambda rows: _without_first(rows, rows.total))


def rows_restless(target: Target) -> ApiFault:
    """A row is put in front of the others before every request: the set never holds still."""
    numbers = count(1)
    return _rows(target, lambda rows: _in_front(rows, next(numbers)))


def order_restless(target: Target) -> ApiFault:
    """Every request finds the rows in another order."""
    numbers = count()

    def change(rows: Rows) -> Rows:
        by = 37 * next(numbers)
        return replace(rows, id_at=lambda position: rows.id_at((position + by) % rows.total))

    return _rows(target, change)


def few_rows(target: Target) -> ApiFault:
    """There is one row of a hundred."""
    return _rows(target, lambda rows: replace(rows, total=max(1, rows.total // 100)))


def no_rows(target: Target) -> ApiFault:
    """There is no row."""
    return _rows(target, lambda rows: replace(rows, total=0))


def endless(target: Target) -> ApiFault:
    """There is always one more page, of rows that nobody saw before."""

    def rows(request: Request, rows: Rows) -> Rows:
        if not target.hits(request):
            return rows
        more = (int(request.file) + 1) * int(request.query.get("size", "100"))
        ids = lambda position: rows.id_at(position) if position < rows.total else rows.next_id + position  # noqa: E731
        return replace(rows, total=max(more, rows.total), id_at=ids)

    return ApiFault(rows=rows)


def endless_same(target: Target) -> ApiFault:
    """There are a million pages more, and they repeat the rows of the others."""
    return _rows(
        target,
        lambda rows: replace(
            rows, total=rows.total + 100_000_000, id_at=lambda position: rows.id_at(position % rows.total)
        ),
    )


# Pages


def page_twice(target: Target) -> ApiFault:
    """A page has the rows of the page before it, but its own number."""
    return _numbered(target, lambda number: max(1, number - 1))


def page_ignored(target: Target) -> ApiFault:
    """Whatever page is asked for, the first one comes."""
    first = _numbered(target, lambda _: 1)
    return replace(first, page=lambda request, page: page | {"page": 1} if request.call == target.call else page)


def page_mislabelled(target: Target) -> ApiFault:
    """A page says that it is the seventh."""
    return of_pages(target, lambda page: page | {"page": 7})


def page_short(target: Target) -> ApiFault:
    """A page lacks its last ten rows."""
    return of_pages(target, lambda page: page | {"items": page["items"][:-10]})


def page_long(target: Target) -> ApiFault:
    """A page has twice the rows that it should have: each of them twice."""
    return of_pages(target, lambda page: page | {"items": page["items"] * 2})


def page_empty(target: Target) -> ApiFault:
    """A page has no rows."""
    return of_pages(target, lambda page: page | {"items": []})


def page_huge(target: Target) -> ApiFault:
    """A page of 50 MB: a member has half a megabyte in every row."""
    return of_pages(target, lambda page: page | {"items": [item | {"bio": "x" * _HUGE_TEXT} for item in page["items"]]})


def size_capped(target: Target) -> ApiFault:
    """Pages have 50 rows at most, and say so."""
    return ApiFault(size=lambda request, size: min(size, 50) if target.hits(request) else size)


def total_is(value: Any) -> Callable[[Target], ApiFault]:  # noqa: ANN401 - any JSON value
    """Return a fault: the total is another value."""

    def total(target: Target) -> ApiFault:
        return of_pages(target, lambda page: page | {"total": value})

    total.__doc__ = f"The total is {value!r}."
    return total


def total_too_high(target: Target) -> ApiFault:
    """The total is seven higher than the number of rows."""
    return of_pages(target, lambda page: page | {"total": page["total"] + 7})


def total_too_low(target: Target) -> ApiFault:
    """The total is seven lower than the number of rows."""
    return of_pages(target, lambda page: page | {"total": page["total"] - 7})


def pages_one(target: Target) -> ApiFault:
    """Every page says that it is the only one, but the total is right."""
    return of_pages(target, lambda page: page | {"pages": 1})


def items_are(value: Any) -> Callable[[Target], ApiFault]:  # noqa: ANN401 - any JSON value
    """Return a fault: the rows of a page are another value."""

    def items(target: Target) -> ApiFault:
        return of_pages(target, lambda page: page | {"items": value})

    items.__doc__ = f"The rows of a page are {value!r}."
    return items


def members_missing(target: Target) -> ApiFault:
    """A page is the list of its rows, without a total."""
    return of_pages(target, lambda page: page["items"])


# Keys


def key_refused(target: Target) -> ApiFault:
    """The key is not accepted (401)."""
    return ApiFault(key=lambda request, key: f"another than {key}" if target.hits(request) else key)


def _later(target: Target) -> Target:
    return replace(target, after=target.after + _EARLY)


def _rows(target: Target, change: Callable[[Rows], Rows]) -> ApiFault:
    return ApiFault(rows=lambda request, rows: change(rows) if target.hits(request) else rows)


def _numbered(target: Target, change: Callable[[int], int]) -> ApiFault:
    return ApiFault(number=lambda request, number: change(number) if target.hits(request) else number)


def of_pages(target: Target, change: Callable[[Page], Any]) -> ApiFault:
    """Change pages."""
    return ApiFault(page=lambda request, page: change(page) if target.hits(request) else page)


def _in_front(rows: Rows, number: int) -> Rows:
    return replace(
        rows,
        total=rows.total + number,
        id_at=lambda position: rows.id_at(position - number) if position >= number else rows.next_id + position,
    )


def _without_first(rows: Rows, total: int) -> Rows:
    left = rows.total - _MOVED
    return replace(
        rows,
        total=total,
        id_at=lambda position: rows.id_at(position + _MOVED) if position < left else rows.next_id + position - left,
    )
