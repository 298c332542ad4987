"""The check of a contract's time: partitions are named by its text, which is looked at no further."""

from collections.abc import Iterator
from datetime import date
from functools import cache

import orjson

from cli.contracts.type_compatibility import MisfitError, member_schema
from cli.contracts.validator_agreement import Referee
from sluice.contracts.compose import Schema

_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)  # that partitions cover
_DAYS = frozenset(str(date.fromordinal(day)) for day in range(_FIRST_DAY.toordinal(), _LAST_DAY.toordinal() + 1))
_TIME = "2022-04-19T18:20:03Z"
_OTHER_FORMS = ("2024-02-29T00:00:00.123456789+00:00", "2024-02-29T23:59:59.9Z")
_NO_TIMES: tuple[object, ...] = (
    *(None, True, 5, 5.0, [], {}),
    *("", "2022-04-19", _TIME.replace("T", "t"), _TIME.replace("Z", "z"), f"{_TIME[:-1]}.Z"),
    *(f"{_TIME[:-1]}{offset}" for offset in ("+01:00", "-00:00", "+0000", "+00", " Z", "ZZ", "Z+00:00")),
    *(f"{junk}{_TIME}" for junk in "x0 \n-"),
    *(f"{_TIME}{junk}" for junk in "x0 \n-"),
    *(f"{_TIME[:place]}{_TIME[place + 1 :]}" for place in range(len(_TIME))),
    *(f"{_TIME[:place]}{other}{_TIME[place + 1 :]}" for place in range(len(_TIME)) for other in "x \u0662"),
)
_SIXTY, _HOURS = 60, 24


def check_time(schema: Schema) -> Iterator[str]:
    """Say what is wrong with what a contract's schema says of an event's time."""
    if "time" not in schema.get("required", ()):
        yield "the schema does not require time, which the partition is derived from"
    try:
        misjudged = _misjudged(orjson.dumps(member_schema(schema, ("time",))))
    except MisfitError as error:
        yield str(error)
        return
    if misjudged:
        found = f"{len(misjudged)}, such as {misjudged[0]!r}"
        yield f"of the times tried the schema misjudges {found}: use the shared utc_time"


@cache
def _misjudged(schema: bytes) -> tuple[object, ...]:
    """Return the times that the schema takes and should not, or the other way round."""
    valid = Referee(orjson.loads(schema)).valid
    return tuple(time for time, is_good in _times() if valid(time) != is_good)


def _times() -> Iterator[tuple[object, bool]]:
    yield from ((time, True) for time in (_TIME, *_OTHER_FORMS))
    yield from ((time, False) for time in _NO_TIMES)
    yield from ((f"{day}{_TIME[10:]}", day in _DAYS) for day in _written_days())
    for number in range(100):
        yield f"{_TIME[:11]}{number:02}{_TIME[13:]}", number < _HOURS
        yield f"{_TIME[:14]}{number:02}{_TIME[16:]}", number < _SIXTY
        yield f"{_TIME[:17]}{number:02}{_TIME[19:]}", number < _SIXTY


def _written_days() -> Iterator[str]:
    """Yield every day that a partition covers, and what is written like one."""
    yield from (f"{year:04}-01-01" for year in range(10_000))
    for year in range(_FIRST_DAY.year - 1, _LAST_DAY.year + 2):
        yield from (f"{year}-{month:02}-{day:02}" for month in range(14) for day in range(33))
    yield from (f"{_FIRST_DAY.year}-{month:02}-{day:02}" for month in range(100) for day in range(100))
