"""Contracts of the API's endpoints: what their rows hold, and the tables of the lake that these become."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sluice.contracts.load import Composer, read_json
from sluice.contracts.model import Column, ContractError, Table

ENDPOINTS = ("tracks", "users", "listen_history")
"""The endpoints in the order of a pull: those that others refer to come first."""

SNAPSHOT_DATE = Column("snapshot_date", (), "date", "Day of the pull, UTC.")
POSITION = "position"

_TABLES = Path(__file__).resolve().parent / "tables"
_TECHNICAL_COLUMNS = (
    Column("_rescued", (), "string", "Members that the contract does not know, as one JSON object; null without any."),
    Column("_source_key", (), "string", "Key of the object that the page of the row is kept in."),
    Column("_source_page", (), "bigint", "Number of the page."),
)


@dataclass(frozen=True, slots=True)
class Reference:
    """A column whose values are keys of another endpoint."""

    column: str
    endpoint: str


@dataclass(frozen=True, slots=True)
class Volume:
    """Rows that are expected: the `least`, and the shares of the usual number between which it is ordinary."""

    least: int
    of_usual: tuple[float, float]


@dataclass(frozen=True, slots=True)
class EndpointContract:
    """Contract of an endpoint and its table.

    Attributes:
        endpoint: Name of the endpoint, which is its path.
        table: Name of the table.
        version: Grows with every change of the contract.
        doc: What a row of the table is.
        schema: JSON Schema of a row of the endpoint, without any reference; null is allowed where its type says so.
        columns: The table's columns, in order.
        key: The member whose value is unique, and never null.
        row_per_item_of: The member whose every item becomes a row of the table; "" where a row becomes one.
        references: Columns whose values are keys of other endpoints.
        volume: Rows that are expected.
    """

    endpoint: str
    table: str
    version: int
    doc: str
    schema: dict[str, Any]
    columns: tuple[Column, ...]
    key: str
    row_per_item_of: str
    references: tuple[Reference, ...]
    volume: Volume

    @property
    def lake_table(self) -> Table:
        """Return the table of the lake, in a folder per day."""
        return Table(self.table, self.columns + _TECHNICAL_COLUMNS, self.doc, (SNAPSHOT_DATE,))

    def column_of(self, member: str) -> str:
        """Return the column that a member is read by; the member itself where none is."""
        return next((column.name for column in self.columns if column.path == (member,)), member)


@cache
def contracts() -> Mapping[str, EndpointContract]:
    """Return the contracts by their endpoints, in the order of a pull. Raises ContractError."""
    found = {each.endpoint: each for each in map(_contract, sorted(_TABLES.glob("*/table.json")))}
    return {endpoint: found[endpoint] for endpoint in ENDPOINTS}


def _contract(path: Path) -> EndpointContract:
    table = read_json(path)
    try:
        return EndpointContract(
            endpoint=table["endpoint"],
            table=path.parent.name,
            version=table["version"],
            doc=table["doc"],
            schema=Composer(read_json).compose(path.with_name("schema.json")),
            columns=tuple(map(_column, table["columns"])),
            key=table["key"],
            row_per_item_of=table.get("row_per_item_of", ""),
            references=tuple(Reference(**each) for each in table.get("references", ())),
            volume=Volume(table["volume"]["least"], tuple(table["volume"]["of_usual"])),
        )
    except (KeyError, TypeError) as error:
        raise ContractError(f"{path}: a member is missing or of the wrong kind: {error}") from error


def _column(column: dict[str, str]) -> Column:
    return Column(column["name"], tuple(filter(None, [column["path"]])), column["type"], column["doc"])
