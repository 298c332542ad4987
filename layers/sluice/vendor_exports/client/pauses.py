"""Pauses between attempts."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pauses:
    """Pauses between attempts: `first_seconds` at most, then doubling; `sleep` makes them."""

    first_seconds: float
    sleep: Callable[[float], None]
