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

# Durations: "in 00:07:11", "again in 7 minutes and 11 seconds", "431 s left", "wait PT7M11S".
_PIECE = r"(?:\d{1,6}(?:\.\d{1,9})?|an?|one) ?(?:h(?:ou)?r?s?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)(?![a-z])"
_IN_WORDS = rf"(?:PT)?{_PIECE}(?:(?:,? and|,)? ?{_PIECE}){{0,2}}"
_AS_CLOCK = (
    r"\d{1,3}:\d{2}(?::\d{2}(?:\.\d{1,9})?|(?: ?(?:hours|minutes))?)(?![\d:]| ?(?:[ap]\.?m\b|z\b|utc|gmt|[+-]\d))"
)
_FOR = r"(?: is| for| about| another| at least)*:?"
_BEFORE = rf"\b(?:wait|time|another|remaining|left|retry.after){_FOR} "
_AGAIN = rf"\b(?:again|later|retry|allowed|available|possible|accepted|next [a-z ]{{1,40}}?) (?:in|after){_FOR} "
_BEHIND = r" (?:left|remaining|remains?|to go|from now|more)\b"
_DURATION = re.compile(
    rf"(?:{_BEFORE}|\bin{_FOR} )({_AS_CLOCK})|(?:{_BEFORE}|{_AGAIN})({_IN_WORDS})|({_AS_CLOCK}|{_IN_WORDS}){_BEHIND}",
    re.IGNORECASE,
)
_PIECES = re.compile(r"([\d.]+|\b(?:an?|one)) ?([hms])", re.IGNORECASE)
_SECONDS = {"h": 3600, "m": 60, "s": 1}
_WAITING = re.compile(
    r"later\b|\bwait|\bretry|minute|\bhour|second|limit|recently|throttl|too (?:many|early|soon|often)"
)

# Of the readings of 03/04/2026 the one that makes sense: not long over, and not days ahead.
_PAST, _FUTURE = timedelta(hours=1), timedelta(hours=25)
_LONGEST = 1000  # characters that are looked at


def next_allowed(sentence: str, now: datetime) -> datetime | None:
    """Return the time, UTC, in the sentence; None if it has none that makes sense.

    `now` is the time by the vendor's own clock. A time without a day is the next such time; it counts where no day
    with a time lies ahead, and so does the end of a duration.
    """
    text = " ".join(sentence[:_LONGEST].split())  # white space is what the patterns would try in every way
    dated = [moment for moment in _dated(text, now) if -_PAST <= moment - now <= _FUTURE]
    ahead = [moment for moment in dated if moment >= now]
    if not ahead:
        times = _DURATION.sub(" ", _MOMENT.sub(" ", text))
        ahead = [*_after_durations(text, now), *_undated(times, now)] or dated
    return min(ahead, key=lambda moment: abs(moment - now), default=None)


def speaks_of_waiting(sentence: str) -> bool:
    """Tell whether a sentence that names no time tells to come later, rather than that something is not allowed."""
    return _WAITING.search(sentence.lower()) is not None


def _after_durations(text: str, now: datetime) -> Iterator[datetime]:
    for found in _DURATION.finditer(text):
        seconds = _seconds(next(filter(None, found.groups())))
        if seconds is not None and seconds <= _FUTURE.total_seconds():
            with suppress(OverflowError):
                yield now + timedelta(seconds=seconds)


def _seconds(duration: str) -> float | None:
    """Read a duration; None for one like 07:11, which may be of minutes or of hours."""
    if ":" not in duration:
        pieces = _PIECES.findall(duration)
        return sum(_SECONDS[unit.lower()] * (float(much) if much[0].isdigit() else 1) for much, unit in pieces)
    clock, _, unit = duration.partition(" ")
    parts = [float(part) for part in clock.split(":")]
    if len(parts) == 2:  # noqa: PLR2004 - a clock without seconds, or without hours
        if not unit:
            return None
        parts = [*parts, 0.0] if unit.startswith("h") else [0.0, *parts]
    hours, minutes, seconds = parts
    return hours * 3600 + minutes * 60 + seconds


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
