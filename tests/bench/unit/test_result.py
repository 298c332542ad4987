"""Verdicts on targets, and the page that shows them."""

import pytest

from tests.bench.page import page
from tests.bench.result import TARGETS, Result, Target, Verdict, verdicts
from tests.bench.timing import Spread


@pytest.mark.parametrize(
    ("sign", "measured", "met"),
    [(">=", 10, True), (">=", 9.99, False), ("<=", 10.01, False), ("<", 9.99, True), ("<", 10, False)],
)
def test_a_target_is_met_on_its_side(sign: str, measured: float, met: bool) -> None:
    assert Target(sign, 10).is_met(measured) is met


def judged(result: Result, name: str) -> Verdict:
    (verdict,) = (each for each in verdicts(result) if each.name == name)
    return verdict


def test_a_ratio_is_judged_by_its_median() -> None:
    result = Result(ratios={"convert_small_objects/pyspark": Spread(12, 9, 20)})
    verdict = judged(result, "convert_small_objects/pyspark")
    assert verdict.reached
    assert " ".join(str(verdict).split()) == "convert_small_objects/pyspark >= 10 12.00 (9.00 to 20.00) yes"


def test_a_figure_is_judged_with_its_spread_where_it_has_one() -> None:
    result = Result(figures={"convert_rss_mb": 351.0, "whole_mb_s": 85.0}, spreads={"whole_mb_s": Spread(85, 70, 90)})
    assert str(judged(result, "convert_rss_mb")).split() == ["convert_rss_mb", "<=", "350", "351.00", "NO"]
    assert judged(result, "whole_mb_s").measured == Spread(85, 70, 90)


def test_a_target_without_measurement_has_no_verdict() -> None:
    verdict = judged(Result(), "convert/arro3")
    assert verdict.reached is None
    assert str(verdict).endswith("not measured")


def test_every_target_is_judged() -> None:
    assert [verdict.name for verdict in verdicts(Result())] == list(TARGETS)


def test_page_shows_verdicts_machine_and_gaps(capsys: pytest.CaptureFixture[str]) -> None:
    result = Result(figures={"convert_rss_mb": 400.0, "growth_worst": 1.0, "withheld_share": 0.34})
    result.ratio("convert/<peer>", Spread(2, 1, 3))
    result.leave_out("convert_small_objects/pyspark", "there is no Java here")
    targets = [
        {"name": "convert_rss_mb", "target": "<= 350", "measured": {"median": 400.0}, "reached": False},
        {"name": "growth_worst", "target": "<= 1.5", "measured": {"median": 1.0}, "reached": True},
        {"name": "bench_s", "target": "< 900", "measured": None, "reached": None},
    ]
    drawn = page(result.to_json() | {"targets": targets}).decode()
    assert [drawn.count(f">{word}</td>") for word in ("NO", "yes", "not measured")] == [1, 1, 1]
    assert "&lt;peer&gt;" in drawn
    assert "there is no Java here" in drawn
    assert "; 34% of the processor time" in drawn
    assert "2.00 times as fast (1.00 to 3.00)" in capsys.readouterr().out
