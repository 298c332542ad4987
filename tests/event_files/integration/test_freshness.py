"""The ledger notes the newest rows and the oldest pending chunk; the probe reads them."""

from datetime import UTC, datetime

import pytest

from tests.support.lambda_handlers import emitted, load_handler
from tests.support.moto.stage import MotoStage
from tests.support.sample_events import body, event


def test_a_table_keeps_its_newest_hour(moto_stage: MotoStage) -> None:
    moto_stage.runs.note_newest_hours({"A": "2026-11-22T05", "B": "2026-11-01T00"})
    moto_stage.runs.note_newest_hours({"A": "2026-11-22T06"})
    moto_stage.runs.note_newest_hours({"A": "2026-11-21T23", "B": "2026-11-01T00"})
    assert moto_stage.runs.newest_hours() == {
        "A": datetime(2026, 11, 22, 6, tzinfo=UTC),
        "B": datetime(2026, 11, 1, tzinfo=UTC),
    }


def test_the_chunk_that_waits_longest_is_found_until_it_is_converted(moto_stage: MotoStage) -> None:
    assert moto_stage.runs.oldest_pending() is None
    before = moto_stage.now()
    moto_stage.deliver(moto_stage.put("first", body(event("MICROONE_EVENT", 1))))
    after = moto_stage.now()
    moto_stage.deliver(moto_stage.put("second", body(event("MICROONE_EVENT", 2))))
    oldest = moto_stage.runs.oldest_pending()
    assert oldest is not None
    assert before < oldest < after
    moto_stage.convert()
    assert moto_stage.runs.oldest_pending() is None


def test_the_probe_counts_and_logs(
    moto_stage: MotoStage,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    probe_lag = load_handler("probe_lag", monkeypatch)
    assert probe_lag({}) == {"pending_age": 0.0, "newest_row_age": None}
    assert "NewestRowAge" not in capsys.readouterr().out
    moto_stage.deliver(moto_stage.put("file", body(event("MICROONE_EVENT", 1))))
    moto_stage.runs.note_newest_hours({"MICROONE_EVENT": "2026-01-31T22"})
    probe_lag({})
    (metrics,) = emitted(capsys.readouterr().out)
    assert metrics["PendingAge"][0] > 0
    assert metrics["NewestRowAge"][0] > 0
    (line,) = [vars(record) for record in caplog.records if record.getMessage() == "lag"]
    assert line["table"] == "MICROONE_EVENT"
    assert line["newest_row_age"] == metrics["NewestRowAge"][0]
