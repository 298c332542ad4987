"""Runs in turns, ratios of rounds, and the share of the machine that was withheld."""

from functools import partial
from pathlib import Path

from tests.bench.timing import Processors, Spread, in_turns, processors, ratios, spread

STAT = "cpu  700 20 100 9000 300 5 15 160 0 0\ncpu0 350 10 50 4500 150 2 8 80 0 0\nctxt 12345\n"


def test_rounds_begin_with_another_candidate_each_time_after_all_are_warm() -> None:
    ran: list[str] = []
    seconds = in_turns({name: partial(ran.append, name) for name in "abc"}, 4)
    assert "".join(ran) == "abc" + "abc" + "bca" + "cab" + "abc"
    assert {name: len(each) for name, each in seconds.items()} == {"a": 4, "b": 4, "c": 4}


def test_ratios_are_of_single_rounds() -> None:
    seconds = {"ours": [1.0, 2.0, 4.0], "theirs": [3.0, 4.0, 20.0]}
    assert ratios(seconds, "ours", "theirs") == Spread(median=3.0, min=2.0, max=5.0)
    assert spread([5, 1, 9, 2]) == Spread(median=3.5, min=1, max=9)


def test_withheld_share_is_of_the_time_wanted_in_between(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text(STAT)
    assert processors(stat) == Processors(wanted=1_000, withheld=160)
    assert Processors(wanted=1_200, withheld=210).withheld_since(processors(stat)) == 50 / 200
    assert processors(tmp_path / "none") == Processors(0, 0)
