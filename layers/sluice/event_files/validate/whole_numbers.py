"""Whole numbers, however they were written: JSON Schema takes 1.0 and 1e3 for integers, an int64 column does not."""

from collections.abc import Callable, Sequence
from typing import Any

from sluice.contracts.event_struct import event_type
from sluice.contracts.hive import HiveType
from sluice.contracts.model import Contract

_WRITTEN_WHOLE = {"$schema": "http://json-schema.org/draft-04/schema#", "type": ["integer", "null"]}
"""The one dialect to which 1.0 is no integer."""

_EXACT = 2**53
"""Below, no two whole numbers are parsed as the same float; from here on, one may stand for its neighbour."""

_Mend = Callable[[Any], bool]


class InexactError(Exception):
    """A whole number of 2^53 or more was written with a point or an exponent, so that parsing may have rounded it."""

    def __init__(self, pointer: str = "") -> None:
        """Keep the JSON pointer of the member it was found in."""
        super().__init__(pointer)
        self.pointer = pointer


def whole(number: float) -> int:
    """Return a valid integer as an int. Raises InexactError."""
    if type(number) is int:
        return number
    if abs(number) >= _EXACT:
        raise InexactError
    return int(number)


def with_whole_numbers(schema: Any, contract: Contract) -> Any:  # noqa: ANN401
    """Return the schema of the same events with the whole numbers of the contract's columns written as such."""
    return _written_whole(schema, event_type(contract.columns))


def _written_whole(schema: Any, type_: HiveType) -> Any:  # noqa: ANN401
    if not isinstance(schema, dict):
        return schema
    if type_.kind == "bigint":
        return {**schema, "allOf": [*schema.get("allOf", ()), _WRITTEN_WHOLE]}
    if type_.kind == "array":
        return {**schema, "items": _written_whole(schema.get("items", {}), type_.element)}
    members, types = schema.get("properties", {}), dict(type_.fields if type_.kind == "struct" else ())
    whole_members = {name: _written_whole(members[name], types[name]) for name in members.keys() & types.keys()}
    return {**schema, "properties": {**members, **whole_members}} if whole_members else schema


class WholeNumbers:
    """Writes the whole numbers of one contract's columns as such."""

    def __init__(self, contract: Contract) -> None:
        """Find the places where the columns want whole numbers."""
        self._mend = _mending(event_type(contract.columns))

    def mend(self, event: dict[str, Any]) -> bool:
        """Change a valid event in place; tell whether there was anything to change. Raises InexactError."""
        return self._mend is not None and self._mend(event)


def _mending(type_: HiveType) -> _Mend | None:
    """Return what changes values of a type in place and tells whether it did; None where there is nothing to do."""
    if type_.kind == "array":
        return _mend_numbers if type_.element.kind == "bigint" else _mending_items(type_.element)
    if type_.kind == "struct":
        return _mending_members(type_.fields)
    return None


def _mend_numbers(items: list[Any]) -> bool:
    if float not in map(type, items):
        return False
    items[:] = [whole(item) if type(item) is float else item for item in items]
    return True


def _mending_items(type_: HiveType) -> _Mend | None:
    mend = _mending(type_)
    if mend is None:
        return None
    return lambda items: any([mend(item) for item in items if item is not None])  # noqa: C419 - each, not up to one


def _mending_members(fields: Sequence[tuple[str, HiveType]]) -> _Mend | None:
    numbers = [name for name, member in fields if member.kind == "bigint"]
    others = [(name, mend) for name, member in fields if (mend := _mending(member))]

    def mend_members(value: dict[str, Any]) -> bool:
        mended = False
        name = ""
        try:
            for name in numbers:
                if type(value.get(name)) is float:
                    value[name] = whole(value[name])
                    mended = True
            for name, mend in others:
                member = value.get(name)
                if member is not None and mend(member):
                    mended = True
        except InexactError as error:
            raise InexactError(f"/{name}{error.pointer}") from None
        return mended

    return mend_members if numbers or others else None
