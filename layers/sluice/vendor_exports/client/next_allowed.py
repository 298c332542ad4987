"""The time of the next job that the vendor allows, read from the sentence of its refusal."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from dateutil import parser

_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:\s*[AaPp]\.?[Mm]\b\.?)?(?:\s*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
_DAYS = (
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}",
    r"\d{1,2}[-/.]\d{1,2}[-/.]\d{4}",
    r"[A-Za-z]{3,9}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}",
    r"\d{1,2}(?:st|nd|rd|th)?[\s-]+[A-Za-z]{3,9}\.?,?[\s-]+\d{4}",
)
_DAY = "|".join(_DAYS)
_MOMENT = re.compile(rf"(?:{_DAY})(?:[T,\s]|at)*{_CLOCK}|{_CLOCK}\s*(?:on)?\s*(?:{_DAY})")
_TIME = re.compile(_CLOCK)

# Of the readings of 03/04/2026 the one that makes sense: not long over, and not days ahead.
_PAST, _FUTURE = timedelta(hours=1), timedelta(hours=25)
_LONGEST = 1000  # characters that are looked at


def next_allowed(sentence: str, now: datetime) -> datetime | None:
    """Return the time, UTC, in the sentence; None if it has none that makes sense.

    `now` is the time by the vendor's own clock. A time without a day is the next such time; it counts where no day
    with a time lies ahead.
    """
    text = " ".join(sentence[:_LONGEST].split())  # white space is what the patterns would try in every way
    dated = [moment for moment in _dated(text, now) if -_PAST <= moment - now <= _FUTURE]
    ahead = [moment for moment in dated if moment >= now] or list(_undated(_MOMENT.sub(" ", text), now)) or dated
    return min(ahead, key=lambda moment: abs(moment - now), default=None)


def _dated(sentence: str, now: datetime) -> Iterator[datetime]:
    for text in _MOMENT.findall(sentence):
        for dayfirst in (False, True):
            yield from _read(text.replace("at", " "), now, dayfirst=dayfirst)


def _undated(sentence: str, now: datetime) -> Iterator[datetime]:
    for text in _TIME.findall(sentence):
        for moment in _read(text, now, dayfirst=False):
            days = -((moment - now) // timedelta(days=1))  # an offset can lead out of the day
            with suppress(OverflowError):
                yield moment + timedelta(days=days)


def _read(text: str, now: datetime, *, dayfirst: bool) -> Iterator[datetime]:
    try:
        moment = parser.parse(text, dayfirst=dayfirst, default=now.replace(second=0, microsecond=0, tzinfo=None))
        yield moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # no moment, or none that UTC has
        return
