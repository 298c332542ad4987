"""Chunks that no call can convert, whatever it is: they end alone, named, and hold nobody up."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import PurePath

import pytest

from cli.event_files.again import announce_again
from cli.event_files.status import unread
from sluice.event_files.convert.leaving_out import FruitlessRunError
from sluice.event_files.convert.model import BatchGroup
from sluice.event_files.ledger.model import CLEAN_PREFIX
from tests.event_files.integration.convert.test_again import deliver, deployed
from tests.support.moto.aws_calls import KilledError
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, MotoStage, new_moto_stage
from tests.support.sample_events import body, broken, event
from tests.support.snapshots import SYSTEM, assert_books_balance, ledger, tables

ENDS = {"it raises": MemoryError("no room"), "it is killed": KilledError()}
GROUPS = {"one group": 1 << 20, "groups of two or three chunks": 3000, "a group per batch": 1}
RUNS = 6  # until only the bad ones wait


@pytest.fixture(params=GROUPS)
def stage(request: pytest.FixtureRequest) -> Iterator[MotoStage]:
    """Eight chunks with rows of two tables and a dirty record."""
    with new_moto_stage(batch_bytes=GROUPS[request.param]) as moto_stage:
        for number in range(8):
            parts = event("MICROONE_EVENT", number), event("MICROTWO_PRED", number), broken(100 + number)
            moto_stage.arrive(f"x/{number}", body(*parts))
        yield moto_stage


@contextmanager
def bad(stage: MotoStage, chunk_ids: set[str], end: BaseException, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """End every call that reads one of these chunks; of one that is killed, Step Functions sees a time-out."""

    def read(params: dict[str, str], **_: object) -> None:
        if PurePath(params["Key"]).stem in chunk_ids and params["Key"].startswith(CLEAN_PREFIX):
            raise end

    def work(group: BatchGroup) -> None:
        try:
            MotoStage.work(stage, group)
        except KilledError as error:
            raise TimeoutError from error

    events = stage.s3.meta.events
    events.register("provide-client-params.s3.GetObject", read)
    with patch.context() as within:
        within.setattr(stage, "work", work)
        yield
    events.unregister("provide-client-params.s3.GetObject", read)


def rows() -> list[str]:
    return sorted(row["id"] for table, rows in tables().items() if table not in SYSTEM for row in rows)


@pytest.mark.parametrize(("end", "number"), [(ENDS["it raises"], 1), (ENDS["it is killed"], 3)], ids=ENDS)
def test_bad_chunks_end_alone_and_come_once_when_the_cause_is_mended(
    stage: MotoStage, end: BaseException, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chunk_ids = sorted(chunk["sk"] for chunk in ledger("chunk#pending"))[3 : 3 + number]
    with bad(stage, set(chunk_ids), end, monkeypatch):
        for _ in range(RUNS):
            with suppress(FruitlessRunError):
                stage.convert()
            assert len(set(rows())) == len(rows()) == 2 * len(ledger("chunk#converted"))
            if [chunk["sk"] for chunk in ledger("chunk#pending")] == chunk_ids:
                break
        assert_books_balance()
        found = unread(ledger("chunk#pending"))
        assert sorted(chunk.chunk_id for chunk in found) == chunk_ids, "the others are converted"
        word = "ended without a word" if isinstance(end, KilledError) else "MemoryError: no room"
        assert all(word in chunk.reason for chunk in found)
    summary = stage.convert()
    assert summary is not None
    assert (summary.events, summary.left_out) == (2 * number, [])
    assert len(set(rows())) == len(rows()) == 16
    assert len(tables()["PROFILING_LOG"]) == 24
    assert not ledger("chunk#pending")
    assert not [chunk for chunk in ledger("chunk#converted") if "left_out" in chunk or "failures" in chunk]
    assert_books_balance()


def test_the_files_of_a_bad_chunk_are_validated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows come once, though a part of the group's files was written before the call was killed."""
    with new_moto_stage() as stage:
        for number in range(2):
            stage.arrive(f"x/{number}", body(event("MICROONE_EVENT", number, hour=number)))
        chunk_id = sorted(chunk["sk"] for chunk in ledger("chunk#pending"))[0]
        with bad(stage, {chunk_id}, KilledError(), monkeypatch):
            for _ in range(RUNS):
                with suppress(FruitlessRunError):
                    stage.convert()
            assert rows() == ["MICROONE_EVENT-1"]
        commands = deployed(stage)
        assert [each.source.key for each in announce_again(commands, [chunk_id])] == ["x/0"]
        deliver(stage, commands)
        stage.convert()
        assert rows() == ["MICROONE_EVENT-0", "MICROONE_EVENT-1"]
        assert not objects_of(LAKE, CLEAN_PREFIX)
        assert_books_balance()
