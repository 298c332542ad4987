"""Faults of what a job delivers: tables, columns, schema, volumes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cli.simulator.deliveries import Exports
from cli.simulator.faults.base import Fault
from cli.simulator.tables import Table, table


class Reshaped(Fault):
    """Jobs triggered from now on deliver something else."""

    def __init__(self, change: Callable[[Exports], Exports]) -> None:
        """Say what, given the usual."""
        self._change = change

    def exports(self, exports: Exports) -> Exports:
        """Deliver something else."""
        return self._change(exports)


def tables_missing(*names: str) -> Fault:
    """The schema promises these tables, but no file of them comes."""
    return Reshaped(lambda exports: replace(exports, undelivered=exports.undelivered | set(names)))


def table_added(name: str = "CrewWages") -> Fault:
    """A table comes that the schema does not promise."""
    added = table(name, Seafarer="nvarchar", Amount="decimal")
    return Reshaped(lambda exports: replace(exports, unannounced=(*exports.unannounced, added)))


def column_added(name: str = "CarbonIntensity") -> Fault:
    """The first table has a column more, in the schema and in the data."""

    def change(exports: Exports) -> Exports:
        first, *others = exports.tables
        return replace(exports, tables=(Table(first.name, (*first.columns, (name, "decimal"))), *others))

    return Reshaped(change)


def schema_upgraded(version: str = "2026.2") -> Fault:
    """Another version of the schema: a table is renamed, the first one's last column is gone, all integers are text."""
    return Reshaped(lambda exports: replace(exports, version=version, tables=_upgraded(exports.tables)))


def volume(factor: float) -> Fault:
    """The partitions are so many times as large as usual."""
    return Reshaped(lambda exports: replace(exports, volume=exports.volume * factor))


def _upgraded(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    first, second, *others = tables
    changed = (Table(first.name, first.columns[:-1]), Table(f"{second.name}V2", second.columns), *others)
    return tuple(Table(each.name, tuple(_as_text(column) for column in each.columns)) for each in changed)


def _as_text(column: tuple[str, str]) -> tuple[str, str]:
    name, kind = column
    return name, "nvarchar" if kind == "int" else kind
