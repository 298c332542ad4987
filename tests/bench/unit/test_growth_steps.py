"""Growth: time per unit of work, memory per unit beyond the smallest case."""

import pytest

from tests.bench.growth import per_unit, per_unit_more, steepest


def test_linear_time_is_the_same_per_unit() -> None:
    assert per_unit({1: 0.5, 10: 5.0, 100: 50.0}) == pytest.approx({1: 1, 10: 1, 100: 1})


def test_quadratic_time_is_seen_behind_what_is_fixed() -> None:
    times = per_unit({size: 1 + size**2 / 100 for size in (1, 10, 100, 1_000)})
    assert times[10] < 1
    assert steepest(times) == pytest.approx(10, rel=0.1)


def test_linear_memory_is_linear_whatever_is_fixed() -> None:
    assert steepest(per_unit_more({1: 102, 10: 120, 100: 300})) == pytest.approx(1)


def test_quadratic_memory_is_seen_behind_what_is_fixed() -> None:
    assert steepest(per_unit_more({1: 100, 10: 100 + 10**2 / 10, 100: 100 + 100**2 / 10})) == pytest.approx(
        9.1, rel=0.1
    )


def test_noise_is_no_growth() -> None:
    assert steepest(per_unit_more({1: 100.2, 10: 100.0, 100: 101.5, 1_000: 103.0})) < 1
