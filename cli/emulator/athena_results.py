"""Teach the local cloud's Athena of results: their place, and how Athena writes values as text.

The emulator writes a query's result to `<location>/<id>.csv/<id>.csv`, with values as Python prints them. Athena, and
whoever reads the result there, means `<location>/<id>.csv`, every value in quotes, nulls without; and its text of
booleans, doubles, times and nested values is Java's. Columns that a query gives no name have their place for one.
"""

import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Protocol

import sqlglot
from ministack.services import athena
from sqlglot import exp
from sqlglot.errors import SqlglotError

_PLAIN = (1e-3, 1e7)  # doubles between these are written without exponent


class _Writable(Protocol):
    def write(self, text: str, /) -> object: ...


def write_results() -> None:
    """Let the emulator's Athena write results as and where Athena does."""
    athena._datum_text = text_of
    athena._run_duckdb = _with_names(athena._run_duckdb)
    athena._DUCKDB_TYPE_MAP = _Types(athena._DUCKDB_TYPE_MAP)
    athena.csv = SimpleNamespace(writer=_ResultFile)
    athena._save_query_results = _in_place(athena._save_query_results)
    athena._ensure_default_workgroup = _with_all_settings(athena._ensure_default_workgroup)


def text_of(value: object) -> str:
    """Return a value as Athena writes it."""
    return _TEXTS.get(type(value), str)(value)


def _time(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03}{' UTC' if value.tzinfo else ''}"


def _row(value: dict[object, object]) -> str:
    return "{" + ", ".join(f"{text_of(name)}={text_of(member)}" for name, member in value.items()) + "}"


def _double(value: float) -> str:
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if value == 0 or _PLAIN[0] <= abs(value) < _PLAIN[1]:
        return repr(value)
    digits, _, exponent = f"{Decimal(repr(value)).normalize():E}".partition("E")
    return f"{digits}{'' if '.' in digits else '.0'}E{int(exponent)}"


_TEXTS: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "null",  # within others
    bool: lambda value: str(value).lower(),
    float: _double,
    datetime: _time,
    bytes: lambda value: value.hex(" "),
    dict: _row,
    list: lambda value: f"[{', '.join(map(text_of, value))}]",
}


class _Types(dict[str, str]):
    """Athena's types by DuckDB's; those of lists end with brackets."""

    def get(self, kind: str, default: Any = None) -> Any:  # noqa: ANN401  # as a dictionary's
        return "array" if kind.endswith("]") else super().get(kind, default)


class _ResultFile:
    """A writer, in the place of that of Python's csv module, of the file that Athena leaves."""

    def __init__(self, file: _Writable) -> None:
        self._file = file

    def writerow(self, row: Sequence[object]) -> None:
        """Write a row: values in quotes, and nothing for a null."""
        texts = ("" if value is None else '"' + text_of(value).replace('"', '""') + '"' for value in row)
        self._file.write(",".join(texts) + "\n")

    def writerows(self, rows: Iterable[Sequence[object]]) -> None:
        """Write rows."""
        for row in rows:
            self.writerow(row)


def _with_names(run: Callable[..., Awaitable[dict[str, Any]]]) -> Callable[..., Awaitable[dict[str, Any]]]:
    """Let columns without a name be `_col0`, `_col1` and so on; DuckDB names them after their expression."""

    async def named(query: str, *place: str | None) -> dict[str, Any]:
        result = await run(query, *place)
        columns = result["columns"]
        for number in _nameless(query, len(columns)):
            columns[number] = f"_col{number}"
        return result

    return named


def _nameless(query: str, width: int) -> list[int]:
    """Return the places of columns that a query of so many gives no name; those between stars cannot be told."""
    try:
        parsed = sqlglot.parse_one(query, dialect="trino")
    except SqlglotError:
        return []
    items = parsed.selects if isinstance(parsed, exp.Query) else []
    stars = [number for number, item in enumerate(items) if item.is_star]
    first, last = (stars[0], stars[-1]) if stars else (len(items), -1)
    places = {number: number if number < first else width - len(items) + number for number in range(len(items))}
    return [
        place
        for number, place in places.items()
        if not first <= number <= last and not isinstance(items[number], exp.Alias | exp.Column | exp.Dot)
    ]


def _in_place(save: Callable[[str], Any]) -> Callable[[str], Any]:
    """Let a result be written where the execution says that it is."""

    async def saved(query_id: str) -> None:
        found = athena._executions[query_id]["ResultConfiguration"]
        folder = found["OutputLocation"].removesuffix(f"{query_id}.csv").rstrip("/")
        found["OutputLocation"] = folder
        try:
            await save(query_id)
        finally:
            found["OutputLocation"] = f"{folder}/{query_id}.csv"

    return saved


def _with_all_settings(ensure: Callable[[], None]) -> Callable[[], None]:
    """Let the primary workgroup say, as Athena's does, whether its settings are enforced."""

    def ensured() -> None:
        ensure()
        athena._workgroups["primary"]["Configuration"].setdefault("EnforceWorkGroupConfiguration", False)

    return ensured
