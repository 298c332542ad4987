"""Formats of amounts in pages and messages."""

from datetime import datetime, timedelta

from sluice.html_report.text import percent

NOTHING = "\N{EN DASH}"
"""Stands for a figure that there is not."""

_UNKNOWN = "-"  # in the records
_UNITS = ("B", "kB", "MB", "GB", "TB")
_STEP = 1000
_CENT = 0.01
_LONG_SECONDS, _LONG_MINUTES, _LONG_HOURS = 120, 120, 72


def plural(count: int, noun: str) -> str:
    """Write a number of things."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def table(name: str) -> str:
    """Write the name of a table that may not be known."""
    return "table unknown" if name == _UNKNOWN else name


def volume(name: str, value: float | None) -> str:
    """Write a volume: as a size if its name ends with ``bytes``."""
    if value is None:
        return NOTHING
    return size(value) if name.endswith("bytes") else f"{value:,.0f}"


def size(count: float) -> str:
    """Write bytes."""
    unit, of = unit_of(count)
    return f"{count:,.0f} B" if of == 1 else f"{count / of:,.1f} {unit}"


def unit_of(count: float) -> tuple[str, int]:
    """Return the largest unit that so many bytes are one of or more, and its bytes."""
    power = 0
    while count >= _STEP ** (power + 1) and power < len(_UNITS) - 1:
        power += 1
    return _UNITS[power], _STEP**power


def ratio(value: float | None) -> str:
    """Write how many times the usual something is."""
    return NOTHING if value is None else f"{value:,.2f}"


def share(value: float | None) -> str:
    """Write a share; only a whole one reads 100 %."""
    return NOTHING if value is None else percent(value)


def dollars(value: float) -> str:
    """Write an amount of money; a very small one is not nothing."""
    if 0 < value < _CENT:
        return "under $0.01"
    return f"${value:,.2f}"


def seconds(value: float) -> str:
    """Write a duration: seconds, minutes where it is long, hours where it is very long."""
    if value < _LONG_SECONDS:
        return f"{value:,.1f} s"
    minutes = round(value / 60)
    return f"{minutes} min" if minutes < _LONG_MINUTES else f"{minutes // 60} h {minutes % 60:02d} min"


def age(begin: datetime, now: datetime) -> str:
    """Write how long ago the hour that began then was over."""
    hours = max(now - begin - timedelta(hours=1), timedelta()) // timedelta(hours=1)
    if hours < 1:
        return "under an hour"
    return f"{hours} h" if hours < _LONG_HOURS else f"{hours // 24} days"
