"""A valid, corrected event as a row of its table: the contract's columns, typed so that conversion cannot fail."""

from collections.abc import Callable, Sequence
from typing import Any

from sluice.contracts.hive import HiveType, parse_hive
from sluice.contracts.model import Contract
from sluice.events.rules import pointer
from sluice.events.whole_numbers import InexactError, whole

Row = dict[str, Any]
_Fit = Callable[[Any], Any]

_NOTHING: dict[str, Any] = {}


class Rows:
    """Makes the rows of one contract."""

    def __init__(self, contract: Contract) -> None:
        """Compile the columns: the objects they are in, each found from one before it, then their places there."""
        paths = [column.path[:depth] for column in contract.columns for depth in range(len(column.path))]
        places = {path: place for place, path in enumerate(dict.fromkeys(paths))}
        self._objects = [(places[path[:-1]], path[-1]) for path in places if path]
        self._columns = [(column.name, places[column.path[:-1]], column.path[-1]) for column in contract.columns]
        fits = [(column.name, column.path, _fit(parse_hive(column.type))) for column in contract.columns]
        self._fits = [(name, path, fit) for name, path, fit in fits if fit]

    def row(self, event: dict[str, Any]) -> Row:
        """Return the columns that are not null, by name; `event` is not to be used further. Raises InexactError."""
        objects = [event]
        for place, member in self._objects:
            found = objects[place].get(member)
            objects.append(found if isinstance(found, dict) else _NOTHING)
        row = {
            name: value for name, place, member in self._columns if (value := objects[place].get(member)) is not None
        }
        for name, path, fit in self._fits:
            value = row.get(name)
            if value is not None and type(value) is not int:
                try:
                    row[name] = fit(value)
                except InexactError:
                    raise InexactError(pointer([*path])) from None
        return row


def _fit(type_: HiveType) -> _Fit | None:
    """Return what writes the whole numbers of a value as such, in place; None where there is nothing to do."""
    if type_.kind == "bigint":
        return whole
    if type_.kind == "array":
        return _fit_items(type_.element)
    if type_.kind == "struct":
        return _fit_members([(name, fit) for name, member in type_.fields if (fit := _fit(member))])
    return None


def _fit_items(type_: HiveType) -> _Fit | None:
    fit = _fit(type_)
    if fit is None or fit is whole:
        return fit and _fit_numbers

    def fit_items(items: list[Any]) -> list[Any]:
        for item in items:
            if item is not None:
                fit(item)
        return items

    return fit_items


def _fit_numbers(items: list[Any]) -> list[Any]:
    if float in map(type, items):
        items[:] = [whole(item) if type(item) is float else item for item in items]
    return items


def _fit_members(members: Sequence[tuple[str, _Fit]]) -> _Fit | None:
    numbers = [name for name, fit in members if fit is whole]
    others = [(name, fit) for name, fit in members if fit is not whole]

    def fit_members(value: dict[str, Any]) -> dict[str, Any]:
        get = value.get
        for name in numbers:
            if type(get(name)) is float:
                value[name] = whole(value[name])
        for name, fit in others:
            member = get(name)
            if member is not None:
                value[name] = fit(member)
        return value

    return fit_members if members else None
