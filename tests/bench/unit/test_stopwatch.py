"""How much of the machine the bench had: as Linux counts, whatever else stands in its file."""

from pathlib import Path

from tests.bench.stopwatch import Processors, processors

STAT = "cpu  700 20 100 9000 300 5 15 160 0 0\ncpu0 350 10 50 4500 150 2 8 80 0 0\nctxt 12345\n"


def test_what_was_wanted_and_withheld(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text(STAT)
    assert processors(stat) == Processors(wanted=1_000, withheld=160)


def test_the_share_is_of_the_time_in_between() -> None:
    before = Processors(wanted=1_000, withheld=160)
    assert Processors(wanted=1_200, withheld=210).withheld_since(before) == 50 / 200


def test_another_system_tells_nothing(tmp_path: Path) -> None:
    nothing = processors(tmp_path / "none")
    assert (nothing, nothing.withheld_since(nothing)) == (Processors(0, 0), 0)
