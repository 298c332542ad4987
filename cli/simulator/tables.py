"""A shipping system's tables, with made-up rows."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

_START = datetime(2026, 1, 1, tzinfo=UTC)
_MINUTES = 60 * 24 * 365
_WORDS = ("Rotterdam", "Singapore", "Houston", "Santos", "VLSFO", "Wheat", "Iron ore", "Crude", "Laden", "Ballast")


def _text(rng: random.Random) -> str:
    return f"{rng.choice(_WORDS)} {rng.getrandbits(32):08x}"


_VALUES: dict[str, Callable[[random.Random], Any]] = {
    "int": lambda rng: rng.randrange(1, 1_000_000),
    "decimal": lambda rng: round(rng.uniform(0, 5_000_000), 2),
    "datetime": lambda rng: (_START + timedelta(minutes=rng.randrange(_MINUTES))).isoformat(),
    "nvarchar": _text,
    "bit": lambda rng: rng.random() < 0.5,  # noqa: PLR2004 - a coin
}


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name, and the types of its columns by their names."""

    name: str
    columns: tuple[tuple[str, str], ...]

    def rows(self, count: int, rng: random.Random) -> bytes:
        """Make up rows, as JSON lines."""
        makers = [(name, _VALUES[kind]) for name, kind in self.columns]
        return b"".join(orjson.dumps({name: make(rng) for name, make in makers}) + b"\n" for _ in range(count))

    def definition(self, version: str) -> dict[str, Any]:
        """The table's entry in the schema of all tables."""
        columns = [{"ColumnName": name, "DataType": kind} for name, kind in self.columns]
        return {"DataObjectName": self.name, "SchemaVersion": version, "Columns": columns}

    def statement(self) -> str:
        """The SQL that creates the table."""
        columns = ",\n".join(f"  [{name}] {kind}" for name, kind in self.columns)
        return f"CREATE TABLE [{self.name}] (\n{columns}\n);\n"


def table(name: str, **columns: str) -> Table:
    """A table with what all tables have, and columns of its own."""
    common = {f"{name}Id": "int", "LastModified": "datetime", "IsDeleted": "bit"}
    return Table(name, tuple((common | columns).items()))


TABLES = (
    table("Voyage", VesselId="int", VoyageNo="int", CommenceDate="datetime", Status="nvarchar", Revenue="decimal"),
    table("Vessel", VesselCode="nvarchar", VesselName="nvarchar", Deadweight="decimal", Built="datetime"),
    table("CargoBook", VoyageId="int", Cargo="nvarchar", Quantity="decimal", Charterer="nvarchar"),
    table("Invoice", VoyageId="int", InvoiceNo="nvarchar", Amount="decimal", DueDate="datetime", IsPaid="bit"),
    table("InvoiceDetail", InvoiceId="int", Description="nvarchar", Amount="decimal"),
    table("PortCall", VoyageId="int", Port="nvarchar", Arrival="datetime", Departure="datetime"),
    table("BunkerLifting", PortCallId="int", Fuel="nvarchar", Quantity="decimal", Price="decimal"),
    table("Itinerary", VoyageId="int", Sequence="int", Port="nvarchar", Miles="decimal"),
    table("Estimate", VesselId="int", Result="decimal", Remark="nvarchar"),
    table("TimeCharter", VesselId="int", HireRate="decimal", Delivery="datetime", Redelivery="datetime"),
    table("Laytime", PortCallId="int", Allowed="decimal", Used="decimal", Demurrage="decimal"),
    table("Address", FullName="nvarchar", Country="nvarchar", IsActive="bit"),
)
