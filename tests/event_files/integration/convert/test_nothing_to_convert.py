"""Files that hold nothing for a table or the profiling log give conversion no work."""

import pytest

from tests.support.moto.stage import MotoStage
from tests.support.sample_events import body, broken, foreign
from tests.support.snapshots import assert_books_balance, committed_records, ledger, tables


@pytest.mark.parametrize(
    ("content", "chunks"), [(b"", []), (b" \n", []), (body(foreign(1), foreign(2)), ["chunk#converted"])]
)
def test_no_events_of_ours(moto_stage: MotoStage, content: bytes, chunks: list[str]) -> None:
    moto_stage.arrive("x/a", content)
    assert [chunk["pk"] for chunk in ledger("chunk#")] == chunks
    assert len(committed_records("data/unrelated_json/")) == 2 * len(chunks)
    assert_books_balance()
    assert moto_stage.convert() is None


def test_dirty_records_alone_are_profiled(moto_stage: MotoStage) -> None:
    moto_stage.arrive("x/a", body(broken(1)))
    summary = moto_stage.convert()
    assert summary is not None
    assert (summary.files, summary.rows, summary.parquet_files) == (1, {}, 0)
    assert [row["event_id"] for row in tables()["PROFILING_LOG"]] == ["MICROONE_EVENT-1"]
    assert moto_stage.convert() is None
