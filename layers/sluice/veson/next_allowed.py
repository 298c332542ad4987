"""When the vendor will accept the next job, out of the sentence it refuses one with."""

import re
from collections.abc import Iterator
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


def next_allowed(sentence: str, now: datetime) -> datetime | None:
    """Return the time, UTC, that the sentence speaks of; None where it speaks of none that makes sense.

    `now` is the time by the vendor's own clock. A time without a day is the next such time.
    """
    likely = [moment for moment in _moments(sentence, now) if now - _PAST <= moment <= now + _FUTURE]
    return min(likely, key=lambda moment: (moment < now, abs(moment - now)), default=None)


def _moments(sentence: str, now: datetime) -> Iterator[datetime]:
    found = _MOMENT.findall(sentence)
    for text in found:
        for dayfirst in (False, True):
            yield from _read(text.replace("at", " "), now, dayfirst=dayfirst)
    if not found:
        for text in _TIME.findall(sentence):
            for moment in _read(text, now, dayfirst=False):
                yield moment if moment >= now else moment + timedelta(days=1)


def _read(text: str, now: datetime, *, dayfirst: bool) -> Iterator[datetime]:
    try:
        moment = parser.parse(text, dayfirst=dayfirst, default=now.replace(second=0, microsecond=0, tzinfo=None))
    except (ValueError, OverflowError):
        return
    yield moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
