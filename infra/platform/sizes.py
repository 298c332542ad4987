"""What functions may use, and how their queues feed them."""

from __future__ import annotations

from dataclasses import dataclass

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSize:
    """What one Lambda function may use.

    `reserved_concurrency` takes its share out of the account's pool and caps the function; None leaves it in the pool.
    """

    memory_mb: int
    timeout_seconds: int
    reserved_concurrency: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How messages of a queue come together: a call waits for so many, but no longer than the window.

    `max_concurrency` is the number of calls at a time, at least 2.
    """

    messages: int
    window_seconds: int
    max_concurrency: int
