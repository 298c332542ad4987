"""How long one goes on asking."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from sluice.search.ports import BusyError

T = TypeVar("T")

_LONGEST_PAUSE = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Patience:
    """Pauses of `first_seconds` at most, then doubling, each of random length and within the time that is left."""

    seconds_left: Callable[[], float]
    sleep: Callable[[float], None]
    first_seconds: float = 1.0
    attempts: int = 6

    def tries(self) -> Iterator[int]:
        """Yield the number of each attempt, at its time."""
        for attempt in range(self.attempts):
            pause = random.uniform(0.5, 1) * min(self.first_seconds * 2**attempt, _LONGEST_PAUSE)  # noqa: S311
            yield attempt
            if attempt + 1 == self.attempts or self.seconds_left() <= pause:
                return
            self.sleep(pause)

    def ask(self, question: Callable[[], T], puts_off: type[Exception] = BusyError) -> T:
        """Return the answer, asking again while the answer is an error that puts off."""
        trouble: Exception = BusyError("there was no time to ask")
        for _ in self.tries():
            try:
                return question()
            except puts_off as error:
                trouble = error
        raise trouble
