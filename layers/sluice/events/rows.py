"""A valid, corrected event as a row of its table: the contract's columns, typed so that conversion cannot fail."""

from collections.abc import Callable, Sequence
from typing import Any

from sluice.contracts.hive import HiveType, parse_hive
from sluice.contracts.model import Column, Contract
from sluice.events.rules import pointer
from sluice.events.whole_numbers import InexactError, whole

Row = dict[str, Any]
_Take = Callable[[dict[str, Any], Row], None]
_Fit = Callable[[Any], Any]


class Rows:
    """Makes the rows of one contract."""

    def __init__(self, contract: Contract) -> None:
        """Compile the columns into one walk over the event."""
        self._take = _taker((), contract.columns)

    def row(self, event: dict[str, Any]) -> Row:
        """Return the columns that are not null, by name; `event` is not to be used further. Raises InexactError."""
        row: Row = {}
        self._take(event, row)
        return row


def _taker(path: tuple[str, ...], columns: Sequence[Column]) -> _Take:
    """Return what takes the `columns` at or below `path` from the object that is there."""
    depth = len(path)
    own = [(column.name, column.path[-1], _fit(parse_hive(column.type))) for column in columns if _is_at(path, column)]
    plain = [(name, member) for name, member, fit in own if fit is None]
    fitted = [(name, member, fit) for name, member, fit in own if fit is not None]
    members = dict.fromkeys(column.path[depth] for column in columns if not _is_at(path, column))
    nested = [(member, _taker((*path, member), _below((*path, member), columns))) for member in members]

    def take(node: dict[str, Any], row: Row) -> None:
        get = node.get
        for name, member in plain:
            value = get(member)
            if value is not None:
                row[name] = value
        for name, member, fit in fitted:
            value = get(member)
            if value is not None:
                try:
                    row[name] = value if type(value) is int else fit(value)
                except InexactError:
                    raise InexactError(pointer([*path, member])) from None
        for member, take_nested in nested:
            value = get(member)
            if isinstance(value, dict):
                take_nested(value, row)

    return take


def _is_at(path: tuple[str, ...], column: Column) -> bool:
    return column.path[:-1] == path


def _below(path: tuple[str, ...], columns: Sequence[Column]) -> list[Column]:
    return [column for column in columns if column.path[:-1][: len(path)] == path]


def _fit(type_: HiveType) -> _Fit | None:
    """Return what writes the whole numbers of a value as such, in place; None where there is nothing to do."""
    if type_.kind == "bigint":
        return whole
    if type_.kind == "array":
        element = _fit(type_.element)
        return element and (lambda items: [None if item is None else element(item) for item in items])
    if type_.kind == "struct":
        return _fit_members([(name, fit) for name, member in type_.fields if (fit := _fit(member))])
    return None


def _fit_members(members: Sequence[tuple[str, _Fit]]) -> _Fit | None:
    def fit_members(value: dict[str, Any]) -> dict[str, Any]:
        for name, fit in members:
            member = value.get(name)
            if member is not None:
                value[name] = fit(member)
        return value

    return fit_members if members else None
