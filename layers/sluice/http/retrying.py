"""Trouble that passes: which statuses say so, how long the server asks to wait, and trying again with pauses."""

import re
from datetime import datetime

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from sluice.http.answers import Pauses, TransientError, sent_at

LONGEST_PAUSE = 30.0  # seconds; who asks for more is asked again by the machine, which waits for less money

_PASSING = frozenset({408, 421, 425, 429})
_FOR_GOOD = frozenset({501, 505})  # of the server's errors
_SERVER_ERROR = 500
_AGES = 1e9  # seconds; a number of 400 digits is none
_LONGEST_HEADER = 1000  # characters
_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(?:s|secs?|seconds?)?", re.IGNORECASE)


def passes(status: int) -> bool:
    """Tell whether a status speaks of trouble that passes."""
    return status in _PASSING or (status >= _SERVER_ERROR and status not in _FOR_GOOD)


def retry_after(header: str, now: datetime) -> float | None:
    """Read Retry-After, in seconds or as a date; `now` is the time by the server's clock."""
    seconds = _SECONDS.fullmatch(header[:_LONGEST_HEADER].strip())
    if seconds:
        return min(float(seconds[1]), _AGES)
    until = sent_at(header)
    return None if until is None else max(0.0, (until - now).total_seconds())


def retrying(pauses: Pauses, kind: type[TransientError], attempts: int) -> Retrying:
    """Return what tries again after errors of a kind, and raises the last; pauses have jitter, or are as asked for.

    It gives up at once where it is asked for more than `LONGEST_PAUSE`.
    """

    def stop(state: RetryCallState) -> bool:
        return stop_after_attempt(attempts)(state) or (_asked(state) or 0) > LONGEST_PAUSE

    def pause(state: RetryCallState) -> float:
        asked = _asked(state)
        growing = wait_random_exponential(multiplier=pauses.first_seconds, max=LONGEST_PAUSE)
        return growing(state) if asked is None else asked

    return Retrying(retry=retry_if_exception_type(kind), stop=stop, wait=pause, sleep=pauses.sleep, reraise=True)


def _asked(state: RetryCallState) -> float | None:
    error = state.outcome.exception() if state.outcome else None
    return error.retry_after if isinstance(error, TransientError) else None
