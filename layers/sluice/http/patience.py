"""Patience with a server: what a machine waits between two calls, out of a budget; no clock is read."""

from dataclasses import dataclass

LONGEST_WAIT = 65 * 60
"""Seconds to wait at a time, at most, whatever a server asks for."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Waits within a budget of `seconds` that the machine may wait in all.

    A wait is as long as the server asks for, but `shortest` at least, and `usual` where it names no time.
    """

    seconds: int
    usual: int
    shortest: int

    def wait(self, asked: float | None, waited: int) -> int | None:
        """Return how long to wait, after so many seconds that were waited; None when the budget is spent."""
        wait = self.usual if asked is None else min(max(int(min(asked, LONGEST_WAIT)) + 1, self.shortest), LONGEST_WAIT)
        return wait if waited + wait <= self.seconds else None
