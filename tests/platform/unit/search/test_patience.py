"""How long one goes on asking."""

import pytest

from sluice.search.patience import Patience
from sluice.search.ports import BusyError


def test_every_attempt_but_the_last_is_followed_by_a_longer_pause() -> None:
    pauses: list[float] = []
    assert list(Patience(lambda: 600, pauses.append, attempts=4).tries()) == [0, 1, 2, 3]
    assert len(pauses) == 3
    assert all(2**at / 2 <= pause <= 2**at for at, pause in enumerate(pauses))


def test_no_pause_goes_beyond_the_time_that_is_left() -> None:
    pauses: list[float] = []
    assert list(Patience(lambda: 0.4, pauses.append).tries()) == [0]
    assert pauses == []


def test_what_puts_off_to_the_end_is_raised() -> None:
    def busy() -> None:
        raise BusyError("not now")

    with pytest.raises(BusyError, match="not now"):
        Patience(lambda: 600, lambda _: None).ask(busy)
