"""Waiting for the ledger, and the table of `sluice ingest`."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import Console

from cli.event_files import ingest
from cli.event_files.ingest import FileReport, Watch, report_table
from cli.event_files.upload import Uploaded
from sluice.aws.runtime import Item
from sluice.event_files.ledger.model import SourceObject


class Clock:
    """A clock that only sleep moves on."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Ledger:
    """Records that appear at a time each."""

    def __init__(self, clock: Clock, at: dict[str, tuple[float, dict[str, Any]]]) -> None:
        self.clock, self.at = clock, at
        self.asked: list[int] = []

    def items(self, sources: Sequence[SourceObject]) -> dict[SourceObject, Item]:
        self.asked.append(len(sources))
        return {s: self.at[s.key][1] for s in sources if s.key in self.at and self.at[s.key][0] <= self.clock.now}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ingest, "time", clock)
    return clock


def uploaded(key: str, before: Item | None = None) -> Uploaded:
    return Uploaded(SourceObject("source", key, "etag"), 10, before)


def watch(ledger: Ledger, *files: Uploaded, timeout: float = 60.0) -> Watch:
    made = Watch(ledger.items, timeout, _last_news=0.0)
    for file in files:
        made.add(file)
    return made


def test_every_file_is_reported_once_as_its_record_appears(clock: Clock) -> None:
    record = {"status": "validated", "events": 3, "clean": {"T": 2}, "dirty": {"RULE_BROKEN": 1}}
    ledger = Ledger(clock, {"a": (5.0, record), "b": (0.0, record), "c": (20.0, record)})
    found = list(watch(ledger, *map(uploaded, "abc")).finish())
    assert [file.key for file in found] == ["b", "a", "c"]
    assert (found[0].status, found[0].events, found[0].clean, found[0].dirty) == (
        "validated",
        3,
        {"T": 2},
        {"RULE_BROKEN": 1},
    )


def test_it_gives_up_after_the_timeout_without_news(clock: Clock) -> None:
    ledger = Ledger(clock, {"a": (50.0, {"status": "validated"}), "late": (200.0, {"status": "validated"})})
    found = {file.key: file.status for file in watch(ledger, uploaded("a"), uploaded("late")).finish()}
    assert found == {"a": "validated", "late": "timed_out"}
    assert 110.0 <= clock.now < 115.0


def test_news_begin_the_timeout_anew(clock: Clock) -> None:
    at = {str(i): (i * 50.0, {"status": "validated"}) for i in range(1, 9)}
    found = list(watch(Ledger(clock, at), *map(uploaded, at)).finish())
    assert {file.status for file in found} == {"validated"}


def test_an_item_from_before_the_upload_is_no_news(clock: Clock) -> None:
    gone = {"status": "gone", "recorded_at": "2024-01-01T00:00:00Z"}
    ledger = Ledger(clock, {"a": (0.0, gone)})
    (found,) = watch(ledger, uploaded("a", before=gone), timeout=10.0).finish()
    assert found.status == "timed_out"
    again = Ledger(clock, {"a": (0.0, gone | {"recorded_at": "2024-01-02T00:00:00Z"})})
    (found,) = watch(again, uploaded("a", before=gone)).finish()
    assert found.status == "gone"


def test_many_files_are_looked_at_in_turn(clock: Clock) -> None:
    at = {str(i): (0.0 if i >= 1500 else 3.0, {"status": "validated"}) for i in range(2500)}
    ledger = Ledger(clock, at)
    assert len(list(watch(ledger, *map(uploaded, at)).finish())) == 2500
    assert max(ledger.asked) == 1000


def test_a_glance_does_not_come_too_often(clock: Clock) -> None:
    ledger = Ledger(clock, {})
    made = watch(ledger, uploaded("a"))
    for _ in range(100):
        clock.now += 0.1
        made.glance()
    assert 8 <= len(ledger.asked) <= 10


FILES = [
    FileReport("a", "validated", 120, 5, {"B_EVENT": 1, "A_PRED": 2}, {"RULE_BROKEN": 1}, 1),
    FileReport("b", "known", 80, 3, {"A_PRED": 2}, {"RULE_BROKEN": 1}),
    FileReport("c", "timed_out", 7),
]


def shown(files: list[FileReport]) -> str:
    output = io.StringIO()
    Console(file=output, width=100).print(report_table(files))
    return output.getvalue()


def test_the_table_names_every_table_and_reason() -> None:
    text = shown(FILES)
    assert "3 files, 8 events" in text
    for name, count in [("A_PRED", "4"), ("B_EVENT", "1"), ("RULE_BROKEN", "2"), ("another producer's", "1")]:
        (line,) = [line for line in text.splitlines() if name in line]
        assert line.rstrip(" │").endswith(count)
    assert "unrelated" not in shown(FILES[1:])
