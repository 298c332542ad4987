"""The budget of one file, spent inside it: a file that asks for more is refused, before a time-out ends it."""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

_PATIENCE = 10.0  # seconds after which what is still to come is estimated ...
_CERTAINTY = 2.0  # ... and so many times its budget a file must seem to take: its parts may differ


class OverBudgetError(Exception):
    """The file takes more than a file may; the message has the numbers."""


class NoTimeLeftError(Exception):
    """The invocation ends too soon for the file, which has not spent its own budget: its announcement comes again."""


@dataclass(slots=True)
class Budget:
    """Limits what a file may take, without limits where none are given.

    Attributes:
        seconds: Seconds it may take.
        look_ups: Media that may be looked up for it.
        available: Seconds that are left to it in this invocation.
        stopwatch: Gives seconds.
        begun: When it was begun, by the stopwatch.
        looked_up: Media that were looked up for it so far.
    """

    seconds: float = inf
    look_ups: float = inf
    available: float = inf
    stopwatch: Callable[[], float] = float
    begun: float = 0.0
    looked_up: int = 0

    def check(self, done: int, size: int, events: int) -> None:
        """Tell whether the file may go on; `done` of its `size` bytes of content held so many events.

        Raises:
            OverBudgetError: It took more than it may, or is certain to.
            NoTimeLeftError: It may go on, but not in this invocation.
        """
        spent = self.stopwatch() - self.begun
        certain = spent > _PATIENCE and spent * size > _CERTAINTY * self.seconds * max(done, 1)
        if certain or spent > self.seconds or self.looked_up > self.look_ups:
            raise OverBudgetError(
                f"{done:,} of its {size:,} bytes ({events:,} events, {self.looked_up:,} media looked up) took "
                f"{spent:.0f} s; a file may take {self.seconds:.0f} s and {self.look_ups:,} media: "
                "nothing of it was taken in; split it and upload its parts"
            )
        if spent > self.available:
            raise NoTimeLeftError("no time left in this invocation; the announcement comes again")
