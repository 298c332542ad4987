"""Run SQL in the stage's Athena workgroup and give its rows typed.

Plain boto3 rather than awswrangler: that one reads results through CTAS or UNLOAD, which the local cloud's Athena does
not know, and takes seconds to import; what is left of it, polling and typing text, is this page.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.platform.errors import CliError
from cli.platform.machine import waits

if TYPE_CHECKING:
    from mypy_boto3_athena import AthenaClient
    from mypy_boto3_athena.type_defs import ResultSetTypeDef

    from cli.platform.session import Deployment

Row = list[Any]


@dataclass(frozen=True, slots=True)
class Result:
    """The columns of a result, in order, and its rows, read page by page."""

    columns: list[str]
    rows: Iterator[Row]


def query(deployment: Deployment, sql: str, timeout: float = 300.0) -> Result:
    """Run `sql` in the stage's database.

    Raises:
        CliError: Athena refuses or fails the query, or it runs longer than `timeout` seconds (it is then stopped).
    """
    client = deployment.athena
    execution = client.start_query_execution(
        QueryString=sql,
        WorkGroup=deployment.output("Workgroup"),
        QueryExecutionContext={"Database": deployment.output("Database")},
    )["QueryExecutionId"]
    _wait(client, execution, timeout)
    return _result(client, execution)


def _wait(client: AthenaClient, execution: str, timeout: float) -> None:
    for pause in waits(timeout, longest=2.0):
        status = client.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
        if status["State"] == "SUCCEEDED":
            return
        if status["State"] in {"FAILED", "CANCELLED"}:
            reason = status.get("StateChangeReason") or status["State"].lower()
            raise CliError(f"Athena could not run the query: {reason}", "`sluice tables` lists tables and columns.")
        time.sleep(pause)
    client.stop_query_execution(QueryExecutionId=execution)
    raise CliError(f"The query was stopped after {timeout:.0f} s.", "Filter on year, month and day, or --timeout.")


def _result(client: AthenaClient, execution: str) -> Result:
    pages = iter(client.get_paginator("get_query_results").paginate(QueryExecutionId=execution))
    first = next(pages)["ResultSet"]
    info = first["ResultSetMetadata"]["ColumnInfo"]
    types = [column["Type"] for column in info]

    def rows() -> Iterator[Row]:
        yield from _rows(first, types, skip=_has_header(first, [c["Name"] for c in info]))
        for page in pages:
            yield from _rows(page["ResultSet"], types)

    return Result(distinct([column["Name"] for column in info]), rows())


def distinct(names: list[str]) -> list[str]:
    """The names with numbers added where two are the same, so that no column hides another."""
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return found


def _has_header(page: ResultSetTypeDef, names: list[str]) -> bool:
    """A SELECT's first row repeats the column names; a SHOW's does not."""
    return bool(page["Rows"]) and [d.get("VarCharValue") for d in page["Rows"][0].get("Data", [])] == names


def _rows(page: ResultSetTypeDef, types: list[str], *, skip: bool = False) -> Iterator[Row]:
    for row in page["Rows"][1 if skip else 0 :]:
        texts = [datum.get("VarCharValue") for datum in row.get("Data", [])]
        yield [None if text is None else typed(text, kind) for text, kind in zip(texts, types, strict=True)]


def typed(text: str, kind: str) -> Any:  # noqa: ANN401 - the type is the column's
    """A value from Athena's text.

    Arrays, maps and rows stay text, because Athena does not quote what they hold; JSON does too, because the local
    cloud does not tell it from text.
    """
    convert = _TYPES.get(kind.partition("(")[0])
    return convert(text) if convert else text


def _number(text: str) -> float | str:
    value = float(text)
    # JSON has no NaN and no infinity; a name is better than an invalid document or a wrong null.
    return value if math.isfinite(value) else text


_INTEGERS = ("tinyint", "smallint", "integer", "int", "bigint")
_NUMBERS = ("float", "real", "double", "decimal")
_TYPES: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(_INTEGERS, int),
    **dict.fromkeys(_NUMBERS, _number),
    "boolean": lambda text: text == "true",
}
