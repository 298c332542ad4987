"""The section of the recommender in digests, from results of inferences as they lie in the lake."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from sluice.observability.digest.build import digest_without_sections, with_sections
from sluice.observability.digest.message import document_of, message_of
from sluice.observability.digest.model import Digest, SectionSources
from sluice.observability.digest.page import digest_page
from sluice.observability.digest.periods import Period, PeriodKind
from sluice.pipelines import PIPELINES
from sluice.recommender import digest as section
from sluice.recommender.champion import CHAMPION_KEY, Version, promote
from sluice.recommender.inference import Inference, Snapshot
from sluice.runs.model import Step
from tests.platform.unit.digest.sample_runs import run
from tests.support.memory_object_store import MemoryObjectStore

END = datetime(2026, 11, 23, tzinfo=UTC)
FIRST, SECOND = "20261101T040000Z-0a1b2c3d", "20261119T040000Z-4e5f6a7b"
STEPS = tuple(Step(name, 12.0) for name in ("Extract from the mart", "Infer", "Evaluate"))


def result(days_ago: int, version: str, ndcg: float) -> dict[str, Any]:
    figures = {"ndcg_at_10": ndcg, "recall_at_10": ndcg * 0.9, "hit_rate_at_10": 0.6, "coverage": 0.4}
    return {
        "inference_id": "",
        "snapshot": f"{END - timedelta(days=days_ago):%Y-%m-%d}",
        "model_version": version,
        "users": 1000,
        "popular_users": 12,
        "recommendations": 10_000,
        "metrics": {**figures, "popularity_ndcg_at_10": 0.08},
        "day": {"users": 40 if days_ago % 5 else 0, "ndcg_at_10": ndcg / 2},
        "threshold": 0.2,
        "retrain": ndcg < 0.2,
        "reason": "NDCG@10 is under its threshold" if ndcg < 0.2 else "NDCG@10 is well",
    }


def lake_of(*results: dict[str, Any]) -> MemoryObjectStore:
    lake = MemoryObjectStore()
    for each in results:
        moment = f"{each['snapshot']}T03:00:00Z"
        inference = Inference.of(Snapshot(each["snapshot"], moment), each["model_version"], "", "", 0)
        lake.write(inference.result_key, orjson.dumps(each))
        lake.write(inference.key("recommended-00000.json"), b"{}")
    return lake


def falling() -> MemoryObjectStore:
    """A model that gets worse for eleven days, and the one after it; one day was recommended by both."""
    old = [result(back, FIRST, 0.26 - 0.007 * (14 - back)) for back in range(14, 3, -1)]
    return lake_of(*old, *(result(back, SECOND, 0.255) for back in (4, 3, 2, 1)))


def digest_of(lake: MemoryObjectStore, kind: PeriodKind = PeriodKind.WEEK) -> Digest:
    runs = [
        run(END - timedelta(days=back, hours=20), "infer", "inferred", counts={"users": 1000}, steps=STEPS)
        for back in range(14)
    ]
    runs.append(run(END - timedelta(days=4), "retrain", "promoted"))
    digest = digest_without_sections("x", Period(kind, END), runs, PIPELINES, END)
    return with_sections(digest, [section.read_section(digest, SectionSources(lake, None, {}))])


def test_figures_are_drawn_over_a_month_and_a_change_of_the_model_is_marked() -> None:
    lake = falling()
    lake.write("model.npz", b"")
    digest_of_file = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    moments = ("2026-11-19T04:30:00Z", "2026-11-19T04:00:00Z")
    assert promote(lake, Version(SECOND, "model.npz", digest_of_file, *moments, 0.25), "")
    digest = digest_of(lake, PeriodKind.DAY)
    page = digest_page(digest).decode()
    for name in ("recommender-ndcg", "recommender-shares", "infer-outcomes", "infer-steps"):
        assert name in page
    (topic,) = digest.sections[0].topics
    gain = topic.plots[0].figure
    assert len(gain.data[0].x) == 14, "a snapshot that two models recommended for counts once, by the later"
    assert [(shape.x0, note.text) for shape, note in zip(gain.layout.shapes, gain.layout.annotations, strict=True)] == [
        ("2026-11-19", "20261119T040000Z")
    ]
    assert [value is None for value in gain.data[2].y].count(True) == 2, "of what nobody heard since there is no figure"
    assert "in production since 2026-11-19, 3 days old" in page
    assert document_of(digest)["recommender"]["last"]["model_version"] == SECOND
    assert "0.2550 (popular tracks 0.0800, threshold 0.2000)" in message_of(digest, {}).text
    assert not digest.notices


def test_a_model_that_got_worse_and_one_that_took_over_are_noticed() -> None:
    assert any(
        f"since the snapshot of 2026-11-19, model {SECOND} recommends" in each for each in digest_of(falling()).notices
    )
    worse = lake_of(result(2, FIRST, 0.21), result(1, FIRST, 0.15))
    assert any("worse than it should: NDCG@10 is under" in each for each in digest_of(worse).notices)


def test_what_names_no_model_is_said_and_hides_no_figure() -> None:
    lake = falling()
    lake.write(CHAMPION_KEY, b"{}")
    digest = digest_of(lake)
    assert "retrain-outcomes" in digest_page(digest).decode()
    assert any(f"{CHAMPION_KEY} does not name a model" in each for each in digest.notices)


def test_before_the_first_inference_nothing_is_drawn() -> None:
    digest = digest_of(MemoryObjectStore())
    assert not digest.sections[0].topics
    assert "NDCG" not in message_of(digest, {}).text
