"""Measuring in turns: who runs when, and what is made of the seconds."""

from functools import partial

from tests.bench.rounds import Spread, in_turns, ratios, spread


def test_each_runs_once_to_warm_and_then_once_per_round_each_time_beginning_with_another() -> None:
    ran: list[str] = []
    seconds = in_turns({name: partial(ran.append, name) for name in "abc"}, 4)
    assert "".join(ran) == "abc" + "abc" + "bca" + "cab" + "abc"
    assert {name: len(each) for name, each in seconds.items()} == {"a": 4, "b": 4, "c": 4}


def test_what_is_warm_runs_in_rounds_only() -> None:
    ran: list[str] = []
    in_turns({"a": partial(ran.append, "a")}, 2, warm=True)
    assert ran == ["a", "a"]


def test_a_ratio_is_of_one_round_and_not_of_two() -> None:
    seconds = {"ours": [1.0, 2.0, 4.0], "theirs": [3.0, 4.0, 20.0]}
    assert ratios(seconds, "ours", "theirs") == Spread(median=3.0, min=2.0, max=5.0)


def test_a_spread_is_of_the_middle_and_both_ends() -> None:
    assert spread([5, 1, 9, 2]) == Spread(median=3.5, min=1, max=9)
