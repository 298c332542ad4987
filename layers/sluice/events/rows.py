"""A valid, corrected event as a row of its table: the contract's columns, typed so that conversion cannot fail."""

from collections.abc import Callable
from typing import Any

from sluice.contracts.hive import HiveType, parse_hive
from sluice.contracts.model import Column, Contract
from sluice.events.rules import pointer
from sluice.events.whole_numbers import InexactError, whole

Row = dict[str, Any]
_Fit = Callable[[Any], Any]


class Rows:
    """Makes the rows of one contract."""

    def __init__(self, contract: Contract) -> None:
        """Group the columns by the object they are taken from, so that each object is looked up once."""
        groups: dict[tuple[str, ...], list[tuple[str, str, _Fit | None]]] = {}
        for column in contract.columns:
            groups.setdefault(column.path[:-1], []).append((column.name, column.path[-1], _fit_of(column)))
        self._groups = tuple(groups.items())

    def row(self, event: dict[str, Any]) -> Row:
        """Return the columns that are not null, by name. Raises InexactError."""
        row = {}
        for path, columns in self._groups:
            parent: Any = event
            for member in path:
                parent = parent.get(member) if isinstance(parent, dict) else None
            if isinstance(parent, dict):
                for name, member, fit in columns:
                    value = parent.get(member)
                    if value is not None:
                        row[name] = _fitted(fit, value, (*path, member)) if fit else value
        return row


def _fitted(fit: _Fit, value: Any, path: tuple[str, ...]) -> Any:  # noqa: ANN401
    try:
        return fit(value)
    except InexactError:
        raise InexactError(pointer([*path])) from None


def _fit_of(column: Column) -> _Fit | None:
    return _fit(parse_hive(column.type))


def _fit(type_: HiveType) -> _Fit | None:
    """Whole numbers must be written as such. None: nothing to do."""
    if type_.kind == "bigint":
        return whole
    if type_.kind == "array":
        element = _fit(type_.element)
        return element and (lambda items: [None if item is None else element(item) for item in items])
    if type_.kind == "struct":
        members = {name: fit for name, member in type_.fields if (fit := _fit(member))}
        return (lambda value: _fit_members(members, value)) if members else None
    return None


def _fit_members(members: dict[str, _Fit], value: dict[str, Any]) -> dict[str, Any]:
    fitted = {name: fit(value[name]) for name, fit in members.items() if value.get(name) is not None}
    return {**value, **fitted}
