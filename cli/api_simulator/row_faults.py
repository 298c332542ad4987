"""Faults of rows: keys, members and values that are others than promised. They change the first rows of every page."""

from collections.abc import Callable
from functools import partial
from typing import Any

from cli.api_simulator.application import ApiFault, Endpoint
from cli.api_simulator.page_faults import of_pages
from cli.api_simulator.population import Row
from cli.http_server.faults import Fault, Target

UNKNOWN_ID = 999_999_999
HOSTILE_TEXT = "a\x00b\x1b[31m\r\n\u202e\ufffe\",;'=1+1 <script>"


def of_rows(change: Callable[[Row], list[Any]], number: int, target: Target) -> ApiFault:
    """Put others in place of the first rows of pages, so many of them."""

    def changed(page: Any) -> Any:  # noqa: ANN401 - another fault may have made anything of it
        items = page["items"]
        return page | {"items": [new for row in items[:number] for new in change(row)] + items[number:]}

    return of_pages(target, changed)


def of_member(name: str, value: Any, target: Target) -> Fault:  # noqa: ANN401 - any JSON value
    """Give a member another value, in the first row of pages."""
    return of_rows(lambda row: [row | {name: value}], 1, target)


def _second(made: Callable[[Row], Row], target: Target) -> Fault:
    """Put a row made of the first in place of the second."""
    return of_pages(
        target, lambda page: page | {"items": [*(rows := page["items"])[:1], *map(made, rows[:1]), *rows[2:]]}
    )


def of_every_row(change: Callable[[Row], Row], target: Target) -> Fault:
    """Change all rows."""
    return of_rows(lambda row: [change(row)], 100, target)


def row_twice(target: Target) -> Fault:
    """The first row of a page comes again in place of the second."""
    return _second(lambda first: first, target)


def key_twice(target: Target) -> Fault:
    """The second row of a page has the key of the first, and other values."""
    return _second(lambda first: first | {"updated_at": "2027-01-01T00:00:00"}, target)


def row_is(value: Any, target: Target) -> Fault:  # noqa: ANN401 - any JSON value
    """Put another value in place of the first row of pages."""
    return of_rows(lambda _: [value], 1, target)


def column_renamed(old: str, new: str, target: Target) -> Fault:
    """A member has another name in all rows."""
    return of_every_row(lambda row: {new if name == old else name: value for name, value in row.items()}, target)


def column_gone(name: str, target: Target) -> Fault:
    """A member is gone from all rows."""
    return of_every_row(lambda row: {member: value for member, value in row.items() if member != name}, target)


def column_added(target: Target) -> Fault:
    """All rows have a member more."""
    return of_every_row(lambda row: row | {"popularity": 0.5, "labels": {"mood": ["calm"]}}, target)


def column_retyped(name: str, target: Target) -> Fault:
    """A member has an object for a value in all rows."""
    return of_every_row(lambda row: row | {name: {"value": row[name]}}, target)


def updated_before_created(target: Target) -> Fault:
    """All rows were updated before they were created."""
    return of_every_row(lambda row: row | {"updated_at": "2001-01-01T00:00:00"}, target)


def items_changed(change: Callable[[list[Any]], Any], target: Target) -> Fault:
    """Change the tracks of the first history of pages."""
    return of_rows(lambda row: [row | {"items": change(list(row["items"]))}], 1, target)  # type: ignore[call-overload]


_VALUES: dict[str, tuple[str, Any]] = {
    "key-null": ("The key of a row is null.", None),
    "key-text": ("The key of a row is a text.", "12"),
    "key-decimal": ("The key of a row is 12.5.", 12.5),
    "key-negative": ("The key of a row is negative.", -1),
    "key-huge": ("The key of a row has more than 64 bits.", 1 << 70),
}
_TIMES: dict[str, tuple[str, Any]] = {
    "time-null": ("A row was created at null.", None),
    "time-wrong": ("A row was created on the 31st of February.", "2026-02-31T25:00:00"),
    "time-zoned": ("A row was created at a time with a zone.", "2026-01-02T03:04:05+02:00"),
    "time-number": ("A row was created at a number of seconds.", 1_767_000_000),
}
_DURATIONS: dict[str, tuple[str, Any]] = {
    "duration-wrong": ("The duration of a track is 3:5.", "3:5"),
    "duration-absurd": ("The duration of a track is 12:99.", "12:99"),
    "duration-null": ("The duration of a track is null.", None),
    "duration-number": ("The duration of a track is a number.", 185),
}
_HISTORIES: dict[str, tuple[str, Callable[[list[Any]], Any]]] = {
    "tracks-unknown": ("A history has a track that does not exist.", lambda items: [*items, UNKNOWN_ID]),
    "tracks-null": ("A history has a track that is null.", lambda items: [*items, None]),
    "tracks-text": ("A history has a track whose id is a text.", lambda items: [*items, "12"]),
    "tracks-nested": ("A history has a list among its tracks.", lambda items: [*items, [1, 2]]),
    "tracks-many": ("A history has 100,000 tracks.", lambda items: (items or [1]) * (100_000 // len(items or [1]))),
    "tracks-none": ("The tracks of a history are null.", lambda _: None),
    "tracks-no": ("A history has no tracks.", lambda _: []),
    "tracks-as-text": ("The tracks of a history are a text.", lambda _: "1,2,3"),
}
Described = tuple[str, Callable[[Target], Fault]]


def faults_of(endpoint: Endpoint) -> dict[str, Described]:
    """Return the faults of an endpoint's rows by name, each with its description."""
    first = {Endpoint.TRACKS: "artist", Endpoint.USERS: "email", Endpoint.LISTEN_HISTORY: "items"}[endpoint]
    found: dict[str, Described] = {
        name: (text, partial(of_member, member, value))
        for member, values in ((endpoint.key, _VALUES), ("created_at", _TIMES))
        for name, (text, value) in values.items()
    }
    found |= {
        "row-twice": _with_doc(row_twice),
        "key-twice": _with_doc(key_twice),
        "row-null": ("A row is null.", partial(row_is, None)),
        "row-text": ("A row is a text.", partial(row_is, "row")),
        "row-empty": ("A row has no members.", partial(row_is, {})),
        "column-renamed": (f"The member {first} has another name.", partial(column_renamed, first, f"{first}_new")),
        "column-gone": (f"The member {first} is gone.", partial(column_gone, first)),
        "column-added": _with_doc(column_added),
        "column-retyped": (f"The member {first} is an object.", partial(column_retyped, first)),
        "updated-before-created": _with_doc(updated_before_created),
    }
    if endpoint is Endpoint.TRACKS:
        found |= {name: (text, partial(of_member, "duration", value)) for name, (text, value) in _DURATIONS.items()}
    if endpoint is Endpoint.LISTEN_HISTORY:
        found |= {name: (text, partial(items_changed, change)) for name, (text, change) in _HISTORIES.items()}
        found["user-unknown"] = (
            "A history is of a user who does not exist.",
            partial(of_member, "user_id", UNKNOWN_ID),
        )
        return found
    text = "name" if endpoint is Endpoint.TRACKS else "first_name"
    found["text-hostile"] = (f"A {text} has control characters.", partial(of_member, text, HOSTILE_TEXT))
    found["text-long"] = (f"A {text} has 2 MB.", partial(of_member, text, "x" * 2_000_000))
    found["text-null"] = (f"A {text} is null.", partial(of_member, text, None))
    return found


def _with_doc(make: Callable[[Target], Fault]) -> Described:
    return make.__doc__ or "", make
