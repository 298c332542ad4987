"""The records of runs in the lake bucket: in a folder per hour of their start, like rows of other tables."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import orjson

from sluice.lake.object_store import MissingObjectError, ObjectStore
from sluice.runs.model import RunKind, RunRecord, Step

RUN_RECORDS_PREFIX = "data/run_records/"

_PLAIN = ("id", "kind", "subject", "started_by", "started_at", "ended_at", "seconds", "outcome", "cause", "failed_step")

_WRITTEN = "%Y%m%dT%H%M%SZ"

LOOK_BACK = timedelta(days=31)
"""Age of the oldest run that `recent` returns: it makes one request per day."""

_PLANNED = timedelta(hours=1)  # after its start an execution plans its run, with a cold start and attempts before
_TAKEN_OVER = timedelta(days=1)  # a crashed run is finished by a later execution, hardly later than that
_RUN_ID = "%Y%m%dT%H%M%S"


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


@dataclass(frozen=True, slots=True)
class RunRecords:
    """Reads and writes records of runs of the registered kinds, given by name."""

    lake: ObjectStore
    kinds: Mapping[str, RunKind]

    def write(self, record: RunRecord) -> None:
        """Write a record; again, it replaces itself."""
        self.lake.write(record_key(record.id), orjson.dumps(to_row(record, self.kinds.values())) + b"\n")

    def between(self, start: datetime, end: datetime) -> list[RunRecord]:
        """Return the records of all runs started from `start` on and before `end`, the oldest first."""
        names = (name for day in days_between(start, end) for name in self._of_day(day))
        return self._read(name for name in names if start <= start_of(name) < end)

    def recent(self, now: datetime, limit: int, kind: str | None = None) -> list[RunRecord]:
        """Return the last runs of the last month, of one kind if it is given, the newest first."""
        days = reversed(days_between(now - LOOK_BACK, now))
        names = (name for day in days for name in reversed(self._of_day(day)))
        wanted = (name for name in names if kind is None or name.startswith(f"{kind}-"))
        return self._read(islice(wanted, limit))

    def find(self, record_or_run_id: str) -> RunRecord | None:
        """Return a run by its record's id, or by its subject if that begins with the time it was planned at."""
        try:
            return self._get(record_key(record_or_run_id))
        except MissingObjectError:
            return None
        except RecordIdError:
            return self._of_subject(record_or_run_id)

    def rows_of(self, day: datetime) -> list[dict[str, Any]]:
        """Return the records of a day, UTC, as they were written; the oldest first."""
        return list(map(orjson.loads, self.lake.read_all(list(map(record_key, self._of_day(day))))))

    def _of_subject(self, run_id: str) -> RunRecord | None:
        """Return the execution that finished a run, else the last that worked on it."""
        try:
            planned = datetime.strptime(run_id[:15], _RUN_ID).replace(tzinfo=UTC)
            start = planned - _PLANNED
        except ValueError:
            return None
        found = None
        names = (name for day in days_between(start, planned + _TAKEN_OVER) for name in self._of_day(day))
        for record in (self._get(record_key(name)) for name in names if start_of(name) >= start):
            if record.subject == run_id:
                found = record
                if not record.cause:
                    break
        return found

    def _of_day(self, day: datetime) -> list[str]:
        """Return the ids of a day's records, the oldest first."""
        names = (record_of_key(found.key) for found in self.lake.list(day_prefix(day)))
        return sorted(names, key=lambda name: (start_of(name), name))

    def _read(self, names: Iterable[str]) -> list[RunRecord]:
        return [from_row(orjson.loads(body), self.kinds) for body in self.lake.read_all(list(map(record_key, names)))]

    def _get(self, key: str) -> RunRecord:
        return from_row(orjson.loads(self.lake.read(key)), self.kinds)


def to_row(record: RunRecord, kinds: Iterable[RunKind]) -> dict[str, Any]:
    """Return a record as it is written: as a row of the table RUNS, without the hour of its start."""
    return {
        **{name: getattr(record, name) for name in _PLAIN},
        "started_at": _sql_time(record.started_at),
        "ended_at": _sql_time(record.ended_at),
        **{name: record.counts.get(name, 0) for name in count_names(kinds)},
        "rows_by_table": [{"table_name": table, "rows": rows} for table, rows in record.rows.items()],
        "dirty_by_reason": [
            {"table_name": table, "reason": reason, "events": events}
            for table, reasons in record.dirty.items()
            for reason, events in reasons.items()
        ],
        "steps": [asdict(step) for step in record.steps],
        "links": [{"name": name, "url": url} for name, url in record.links.items()],
        "execution": record.execution,
    }


def from_row(row: Mapping[str, Any], kinds: Mapping[str, RunKind]) -> RunRecord:
    """Return the record that `to_row` wrote; one of a kind that is registered no more has no counts."""
    dirty: dict[str, dict[str, int]] = {}
    for each in row["dirty_by_reason"]:
        dirty.setdefault(each["table_name"], {})[each["reason"]] = each["events"]
    times = {name: _iso_time(row[name]) for name in ("started_at", "ended_at")}
    return RunRecord(
        **{**{name: row[name] for name in _PLAIN}, **times},
        counts={name: row[name] for name in kinds[row["kind"]].counts} if row["kind"] in kinds else {},
        rows={each["table_name"]: each["rows"] for each in row["rows_by_table"]},
        dirty=dirty,
        steps=tuple(Step(**step) for step in row["steps"]),
        execution=row["execution"],
        links={each["name"]: each["url"] for each in row["links"]},
    )


def count_names(kinds: Iterable[RunKind]) -> list[str]:
    """Return the names of the counts of any of these kinds."""
    return list(dict.fromkeys(name for kind in kinds for name in kind.counts))


def _sql_time(iso: str) -> str:
    """Write a time as SQL does: without letters, in UTC."""
    return iso.replace("T", " ").removesuffix("Z")


def _iso_time(sql: str) -> str:
    return f"{sql.replace(' ', 'T')}Z"
