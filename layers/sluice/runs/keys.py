"""Keys of run records in the lake bucket: in a folder per hour of their start, like rows of other tables."""

from datetime import UTC, datetime, timedelta

RUN_RECORDS_PREFIX = "data/run_records/"

_WRITTEN = "%Y%m%dT%H%M%SZ"


class RecordIdError(ValueError):
    """A text is no record's id."""


def record_id(kind: str, started_at: datetime, digest: str) -> str:
    """Return the id of a record; it says what ran when, and with its digest which execution it was."""
    return f"{kind}-{started_at.astimezone(UTC):{_WRITTEN}}-{digest}"


def start_of(record: str) -> datetime:
    """Return the start a record's id names, to the second.

    Raises:
        RecordIdError: The text is no record's id.
    """
    try:
        _, written, _ = record.split("-")
        return datetime.strptime(written, _WRITTEN).replace(tzinfo=UTC)
    except ValueError:
        raise RecordIdError(f"{record!r} is no record of a run") from None


def record_key(record: str) -> str:
    """Return the key of a record, by its id. Raises RecordIdError."""
    start = start_of(record)
    return f"{day_prefix(start)}hour={start.hour}/{record}.json"


def day_prefix(day: datetime) -> str:
    """Return the prefix of all records of runs that were started on a day, UTC."""
    return f"{RUN_RECORDS_PREFIX}year={day.year}/month={day.month}/day={day.day}/"


def record_of_key(key: str) -> str:
    """Return the id of the record that lies under a key."""
    return key.rpartition("/")[2].removesuffix(".json")


def days_between(first: datetime, last: datetime) -> list[datetime]:
    """Return a moment of every day, UTC, that lies between two moments; both their days are among them."""
    midnight = first.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [midnight + timedelta(days=number) for number in range((last - midnight).days + 1)]
