"""The check of an endpoint's rows: clean ones into files, dirty ones with every reason, a verdict on the rest."""

import gzip
import itertools
from collections.abc import Mapping
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sluice.api_pull.checking import Check
from sluice.api_pull.contracts import contracts
from sluice.api_pull.history import Day, History, keys_key
from sluice.api_pull.model import COMPLETE, Pull, PullError, RawPart
from sluice.api_pull.progress import CheckProgress, ExtractProgress
from sluice.lake.parquet import to_parquet
from tests.api_pull.application import TIMES, listens, track, user
from tests.api_pull.unit.test_extraction import PULL, crashes
from tests.support.lake_tables import columns_of
from tests.support.memory_object_store import MemoryObjectStore


class Checking:
    """Checks rows of an endpoint that lie in parts of so many; the mart shows tracks and users 1 to 9."""

    def __init__(self, endpoint: str, rows: list[Any], *, part: int = 1000, is_union: bool = False) -> None:
        self.endpoint, self.lake = endpoint, MemoryObjectStore()
        self.calls = itertools.count()
        self.history = History()
        self.progress = CheckProgress()
        parts = []
        for number, first in enumerate(range(0, len(rows), part)):
            some = rows[first : first + part]
            key = PULL.raw_key(endpoint, str(number))
            self.lake.write(key, gzip.compress(orjson.dumps({"items": some, "total": len(rows)})))
            parts.append(RawPart(key, 1, number + 1, 1, len(some), 1))
        self.extracted = ExtractProgress(next_step="extracted", parts=tuple(parts), is_union=is_union)
        for shown in ("tracks", "users"):
            self.lake.write(keys_key("earlier", shown), to_parquet(pa.table({"key": pa.array(range(1, 10))})))

    def shows(self, *endpoints: str, rows: int = 9) -> "Checking":
        for endpoint in endpoints:
            self.history = self.history.having(endpoint, Day("2026-11-29", "earlier", COMPLETE, rows))
        return self

    def call(self, parts: int = 1000) -> CheckProgress:
        schema = columns_of(contracts()[self.endpoint].lake_table)
        check = Check(
            PULL,
            self.endpoint,
            self.extracted,
            lake=self.lake,
            schema=schema,
            history=self.history,
            token=f"call{next(self.calls)}",
        )
        times = iter([True] * parts)
        progress = CheckProgress.from_json(orjson.loads(orjson.dumps(self.progress)))
        self.progress = check.proceed(progress, lambda: next(times, False), lambda: 0.0)
        return self.progress

    def run(self, parts: int = 1000) -> CheckProgress:
        while self.call(parts).next_step == "again":
            pass
        return self.progress

    def clean(self) -> list[dict[str, Any]]:
        files = (self.lake.read(file.key) for file in self.progress.files)
        return [row for body in files for row in pq.read_table(pa.BufferReader(body)).to_pylist()]

    def dirty(self) -> list[dict[str, Any]]:
        bodies = (gzip.decompress(self.lake.read(key)) for key in self.progress.dirty)
        return [orjson.loads(line) for body in bodies for line in body.splitlines()]


def test_clean_rows_are_those_of_the_table() -> None:
    checking = Checking("tracks", [track(1), track(2.0, album=None)])
    progress = checking.run()
    first, second = checking.clean()
    assert first["name"] == "name 1"
    assert (first["created_at"].isoformat(), first["updated_at"].isoformat()) == tuple(TIMES.values())
    assert f"{first['snapshot_date']}" == "2026-11-30"
    assert (first["_source_key"], first["_source_page"]) == (PULL.raw_key("tracks", "0"), 1)
    assert (second["id"], second["album"], second["_rescued"]) == (2, None, None)
    assert (progress.next_step, progress.cause) == ("good", "")
    assert progress.counts.nulls == {"album": 1}
    (file,) = progress.files
    assert file.key.startswith("data/clean_parquet/TRACKS.parquet/snapshot_date=2026-11-30/pull-20261130T02")


ODD: Mapping[str, tuple[Any, set[str]]] = {
    "no object": (5, {"not_an_object"}),
    "no key": ({name: value for name, value in track(1).items() if name != "id"}, {"null_key"}),
    "a null key": (track(None), {"null_key"}),
    "a key that is a text": (track("7"), {"type_id"}),
    "a key that no column holds": (track(2**63), {"bad_id"}),
    "a key that came before": (track(1, duration="1:30"), {"duplicate_key", "bad_duration"}),
    "a duration of 99 seconds": (track(7, duration="03:99"), {"bad_duration"}),
    "a name that is null": (track(7, name=None), {"null_name"}),
    "a name that no database takes": (track(7, name="a\0b"), {"bad_name"}),
    "a day that is none": (track(7, created_at="2023-02-29T00:00:00"), {"bad_created_at"}),
    "the year 0": (track(7, created_at="0000-01-01T00:00:00"), {"bad_created_at"}),
    "a time with a zone": (track(7, updated_at="2024-02-29T00:00:00Z"), {"bad_updated_at"}),
}


@pytest.mark.parametrize("odd", ODD)
def test_a_dirty_row_is_kept_with_every_reason(odd: str) -> None:
    row, reasons = ODD[odd]
    checking = Checking("tracks", [*(track(each) for each in range(1, 4)), row])
    progress = checking.run()
    assert [each["id"] for each in checking.clean()] == [1, 2, 3]
    (record,) = checking.dirty()
    assert {*record["reasons"]} == reasons == {each["reason"] for each in record["errors"]}
    assert record["raw"] == row
    assert (record["table"], record["source_page"], record["source_row"]) == ("TRACKS", 1, 3)
    assert progress.counts.dirty == dict.fromkeys(reasons, 1)
    assert (progress.counts.rows, progress.counts.clean, progress.counts.dirty_rows) == (4, 3, 1)


def test_a_change_before_the_making_is_counted_and_an_unknown_member_rescued() -> None:
    backwards = {"created_at": TIMES["updated_at"], "updated_at": TIMES["created_at"]}
    checking = Checking("users", [user(1, **backwards), user(2, **{"nick/name": "x", "age": 3})])
    progress = checking.run()
    assert progress.counts.updated_before_created == 1
    assert progress.counts.unknown == {"nick/name": 1, "age": 1}
    assert [each["_rescued"] for each in checking.clean()] == [None, '{"/nick~1name":"x","/age":3}']


def test_a_history_is_a_row_per_track_without_what_does_not_exist() -> None:
    rows = [
        listens(1, 3, 1, 3),
        listens(2, 4, None, 99, "x", 5),
        listens(3),
        listens(4, created_at=None),
        {**listens(5), "items": None},
        listens(88, 1, 2),
        listens(None, 1),
        listens(6, 7),
    ]
    checking = Checking("listen_history", rows).shows("tracks", "users")
    progress = checking.run()
    found = [(each["user_id"], each["track_id"], each["position"]) for each in checking.clean()]
    assert found == [(1, 3, 1), (1, 1, 2), (1, 3, 3), (2, 4, 1), (2, 5, 5), (6, 7, 1)]
    assert progress.counts.dirty == {
        "null_track_id": 1,
        "type_track_id": 1,
        "unknown_track": 1,
        "null_created_at": 1,
        "unknown_user": 1,
        "null_key": 1,
    }
    assert (progress.counts.rows, progress.counts.dirty_rows) == (8, 4)
    assert {each["pointer"] for record in checking.dirty() for each in record["errors"]} >= {"/items/2", "/user_id"}


def test_listens_refer_to_what_this_pull_has_before_what_the_mart_shows() -> None:
    checking = Checking("listen_history", [listens(1, 1), listens(2, 50)]).shows("tracks", "users")
    ours = Checking("tracks", [track(1), track(50)])
    ours.run()
    checking.lake.objects |= {**ours.lake.objects, PULL.files_key("tracks"): b"{}"}
    checking.run()
    assert [each["track_id"] for each in checking.clean()] == [1, 50]


def test_listens_without_anything_to_refer_to_say_so() -> None:
    with pytest.raises(PullError, match="refers to /tracks, of which neither this pull nor an earlier one"):
        Checking("listen_history", [listens(1, 1)]).shows("users").run()


def test_keys_are_known_across_parts_and_calls() -> None:
    rows = [track(each % 7) for each in range(10)]
    checking = Checking("tracks", rows, part=2)
    assert checking.run(parts=1).counts.dirty == {"duplicate_key": 3}
    assert sorted(each["id"] for each in checking.clean()) == [*range(7)]
    assert len(checking.progress.files) == 4


def test_of_a_union_the_last_row_of_a_key_counts() -> None:
    rows = [track(1, name="old"), track(2), track(1, name="new"), track(3)]
    checking = Checking("tracks", rows, part=2, is_union=True)
    progress = checking.run()
    assert sorted((each["id"], each["name"]) for each in checking.clean()) == [(1, "new"), (2, "name 2"), (3, "name 3")]
    assert (progress.counts.rows, progress.counts.dirty) == (3, {})


def renamed(row: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if name == old else name: value for name, value in row.items()}


@pytest.mark.parametrize(
    ("rows", "cause"),
    [
        (
            [renamed(track(each), "duration", "length") for each in range(9)],
            "Member duration is gone from 9 of 9 rows of /tracks; new there: length",
        ),
        ([track(each, album=7) for each in range(9)], "Member album has another type in 9 of 9 rows of /tracks"),
        ([track(each) for each in range(4)], "4 clean rows of 4 that /tracks gave: 9 are usual"),
        ([track(each) for each in range(19)], "19 clean rows of 19 that /tracks gave: 9 are usual"),
        ([], "0 clean rows of 0 that /tracks gave: at least 1 are expected"),
        ([track(each if each < 5 else None) for each in range(11)], "6 of 11 rows of /tracks are dirty"),
    ],
)
def test_an_endpoint_that_is_not_as_usual_is_held(rows: list[Any], cause: str) -> None:
    progress = Checking("tracks", rows).shows("tracks").run()
    assert progress.next_step == "held"
    assert cause in progress.cause


@pytest.mark.parametrize("at", range(12))
def test_a_call_that_crashed_is_made_again(at: int) -> None:
    checking = Checking("tracks", [track(each, album=each or None) for each in range(6)], part=2)
    crash = crashes(at)
    checking.lake.between = lambda: next(crash, None)
    for _ in range(6):
        try:
            if checking.call(parts=1).next_step != "again":
                break
        except KeyboardInterrupt:
            checking.lake.between = lambda: None
    assert checking.progress.counts.rows == 6
    assert sorted(each["id"] for each in checking.clean()) == [0]
    assert len(checking.dirty()) == 5


def test_another_pull_of_the_day_has_other_keys() -> None:
    twin = Pull("20261130T030000000000Z-0000000e", PULL.snapshot_date, "arn:other")
    assert not {PULL.raw_key("tracks", "1"), PULL.dirty_key("TRACKS", "1")} & {
        twin.raw_key("tracks", "1"),
        twin.dirty_key("TRACKS", "1"),
    }
