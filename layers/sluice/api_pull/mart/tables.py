"""The mart's tables of an endpoint's rows, and the parts that a load is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sluice.mart.model import MartError, Migration

USERS, TRACKS, LISTENS = "users", "tracks", "listen_history"
"""Endpoints, in the mart's words, too."""

VIEWS = ("tracks", "users", "listens", "snapshots")
"""Views that people and the recommender read."""

PART_ROWS = 200_000
"""Rows that a function loads within its time: 67 transactions of DSQL, of a second each when it is slow."""

_TIMES = {"created_at": "timestamp", "updated_at": "timestamp"}


class NotReadyError(MartError):
    """Listens cannot be loaded: there are no users, or no tracks, for them to refer to."""


class LoadGoneError(MartError):
    """The load is being swept, since a later one of its endpoint is visible."""


@dataclass(frozen=True, slots=True)
class RowTable:
    """The table of an endpoint's rows: its name, its columns with their types, and its key beside the load."""

    name: str
    columns: dict[str, str]
    key: tuple[str, ...]


TABLES = {
    TRACKS: RowTable(
        "tracks_by_load",
        {
            "id": "bigint",
            **dict.fromkeys(("name", "artist", "songwriters", "duration", "genres", "album"), "text"),
            **_TIMES,
        },
        ("id",),
    ),
    USERS: RowTable(
        "users_by_load",
        {
            "id": "bigint",
            **dict.fromkeys(("first_name", "last_name", "email", "gender", "favorite_genres"), "text"),
            **_TIMES,
        },
        ("id",),
    ),
    LISTENS: RowTable(
        "listens_by_load",
        {"user_id": "bigint", "position": "integer", "track_id": "bigint", **_TIMES},
        ("user_id", "position"),
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a file (key) of the lake, `rows` of them from the row `first` on; parts of a load are numbered."""

    run: str
    load: int
    endpoint: str
    part: int
    key: str
    first: int
    rows: int


def cut_files(files: Sequence[tuple[str, int]]) -> list[tuple[str, int, int]]:
    """Cut files, given by key and rows, to what a function loads in its time: key, first row, rows."""
    return [(key, first, min(PART_ROWS, rows - first)) for key, rows in files for first in range(0, rows, PART_ROWS)]


def migrations() -> list[Migration]:
    """Return the migrations of these tables, in order."""
    folder = Path(__file__).with_name("migrations")
    return [Migration(f"api_pull/{path.stem}", path.read_text()) for path in sorted(folder.glob("*.sql"))]
