"""Dirty records that a command asks for: filters, what the table DIRTY_EVENTS holds of them, and why, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Annotated, Any

import typer

from cli.platform.console import CliError
from cli.platform.session import Deployment
from sluice.contracts.load import TABLES, read_json
from sluice.contracts.model import DIRTY_EVENTS

TableOption = Annotated[str, typer.Option("--table", help="Table they would have been rows of; - where unknown.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Reason code, such as RULE_BROKEN.")]
RuleOption = Annotated[str, typer.Option("--rule", help="First rule they break, such as enum.")]
SinceOption = Annotated[str, typer.Option("--since", metavar="TIME", help="First seen at this time (UTC) or later.")]
UntilOption = Annotated[str, typer.Option("--until", metavar="TIME", help="First seen before this time (UTC).")]
FileOption = Annotated[str, typer.Option("--file", metavar="KEY", help="Key of the object they were delivered in.")]

_REASONS = {
    "NO_CONTRACT": "no contract for this service and kind",
    "NO_IDENTIFIER": "neither its kind nor its service can be told",
    "NOT_AN_EVENT": "a JSON object without a source",
    "INVALID_JSON": "begins as an object, and is no JSON",
    "TOO_LARGE": "larger than an event may be",
    "FRAGMENT": "bytes that are no event",
    "TRUNCATED_GZIP": "a part of the file that cannot be decompressed",
    "UNKNOWN_CODING": "a file of a coding that is not read",
    "FILE_TOO_LARGE": "the file is larger than a file may be",
    "FILE_TOO_SLOW": "the file takes more than a file may",
}
_TIME = "no UTC time such as 2026-11-30T10:00:00Z"


@dataclass(frozen=True, slots=True)
class Selection:
    """Filters of dirty records; "" takes all."""

    table: str = ""
    reason: str = ""
    rule: str = ""
    since: str = ""
    until: str = ""
    file: str = ""

    def read(
        self, deployment: Deployment, *columns: str, ids: frozenset[str] = frozenset()
    ) -> Iterator[dict[str, Any]]:
        """Yield columns of the records, in no order; only those of these ids, if there are any.

        Raises:
            CliError: A time is none, or there is no such table.
        """
        from pyiceberg.exceptions import NoSuchTableError  # noqa: PLC0415 - slow to import

        from sluice.lake.tables_iceberg import IcebergTables  # noqa: PLC0415

        place = deployment.output("Database"), deployment.output("LakeBucket")
        tables = IcebergTables(deployment.glue, *place, deployment.s3)
        try:
            yield from tables.read(DIRTY_EVENTS.name, columns, self._expression(ids))
        except NoSuchTableError as error:
            raise CliError(f"The catalog has no table {DIRTY_EVENTS.name}.", "Deploy the stage.") from error

    def _expression(self, ids: frozenset[str]) -> Any:  # noqa: ANN401 - PyIceberg's constructors are typed as none is called
        is_: Any = import_module("pyiceberg.expressions")  # slow to import
        wanted = [is_.AlwaysTrue(), is_.AlwaysTrue()]
        equal = {"reason": self.reason, "rule": self.rule, "source_key": self.file}
        wanted += [is_.EqualTo(name, value) for name, value in equal.items() if value]
        if self.table == "-":
            wanted.append(is_.IsNull("table_name"))
        elif self.table:
            wanted.append(is_.EqualTo("table_name", self.table))
        if ids:
            wanted.append(is_.In("id", ids))
        if self.since:
            time = _moment(self.since)
            wanted += [is_.GreaterThanOrEqual("first_seen", _written(time)), _from_day(is_, time)]
        if self.until:
            time = _moment(self.until)
            later = time + timedelta(days=1)
            wanted += [is_.LessThan("first_seen", _written(time)), is_.Not(_from_day(is_, later))]
        return is_.And(*wanted)


def _from_day(is_: Any, time: datetime) -> Any:  # noqa: ANN401
    """Return the filter of partitions of a day and later ones: no other day's file is opened."""
    year, month = is_.EqualTo("year", time.year), is_.EqualTo("month", time.month)
    return is_.Or(
        is_.GreaterThan("year", time.year),
        is_.And(year, is_.GreaterThan("month", time.month)),
        is_.And(year, month, is_.GreaterThanOrEqual("day", time.day)),
    )


def _written(time: datetime) -> str:
    return time.replace(tzinfo=None).isoformat(timespec="microseconds")


def selection(table: str, reason: str, rule: str, since: str, until: str, file: str) -> Selection:
    """Return the filters of a command. Raises CliError where a time is none."""
    for text in (since, until):
        if text:
            _moment(text)
    return Selection(
        table.upper(), reason.upper(), rule, since, until, file.partition("://")[2].partition("/")[2] or file
    )


def _moment(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise CliError(f"{text!r} is no time.", "Say 2026-11-29 or 2026-11-29T18:00 (UTC).") from error
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def in_words(reason: str, error: dict[str, str] | None) -> str:
    """Return why a record is dirty, for people: a pattern is said by what it stands for."""
    if error is None:
        return _REASONS.get(reason, reason)
    rule, message = error["rule"], error["message"]
    if rule == "required":
        return "it is missing"
    if rule == "format" and message.endswith("date-time"):
        return "no date and time such as 2026-11-30T10:00:00Z"
    if rule == "pattern":
        return _TIME if _time_pattern() in message else "not written as its contract asks (a pattern)"
    return message.removeprefix("the value is ").replace('"', "'")


def _time_pattern() -> str:
    types = read_json(TABLES / "shared" / "types.schema.json")["$defs"]
    (found,) = (each["pattern"] for each in types.values() if "pattern" in each)
    return str(found)
