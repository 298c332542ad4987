"""Whole numbers, however they were written: JSON Schema takes 1.0 and 1e3 for integers, an int64 column does not."""

from collections.abc import Callable, Sequence
from typing import Any

from sluice.contracts.hive import HiveType
from sluice.contracts.model import Contract
from sluice.contracts.places import event_type

_EXACT = 2**53
"""Below, a parsed float is the very whole number that was written; here it may stand for a neighbour."""

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
