"""Types of columns, parsed from Hive's notation, and of the event that columns are taken from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sluice.contracts.model import Column

PRIMITIVES = frozenset({"string", "bigint", "int", "double", "boolean", "timestamp"})

_WORD = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class HiveType:
    """A column type.

    Attributes:
        kind: A primitive's name, ``array`` or ``struct``.
        fields: Name and type of each member of a struct, in order; an array has one, named ``element``.
    """

    kind: str
    fields: tuple[tuple[str, HiveType], ...] = ()

    @property
    def element(self) -> HiveType:
        """Return the type of an array's elements; raise ValueError for any other type."""
        if self.kind != "array":
            raise ValueError(f"{self} is not an array: it has no element type")
        return self.fields[0][1]

    def __str__(self) -> str:
        """Return the type in Hive notation, without spaces."""
        if self.kind == "array":
            return f"array<{self.element}>"
        if self.kind == "struct":
            return "struct<" + ",".join(f"{name}:{type_}" for name, type_ in self.fields) + ">"
        return self.kind


def parse_hive(text: str) -> HiveType:
    """Parse Hive notation such as ``array<struct<score:double>>``; raise ValueError when it is not."""
    type_, end = _parse(text, 0)
    if end < len(text):
        raise _error(text, end, "the end")
    return type_


def _parse(text: str, at: int) -> tuple[HiveType, int]:
    """Return the type at a position of `text`, and the position behind it."""
    kind, at = _word(text, at)
    if kind in PRIMITIVES:
        return HiveType(kind), at
    if kind not in {"array", "struct"}:
        raise _error(text, at - len(kind), "a type")
    fields: dict[str, HiveType] = {}
    opening = "<"
    while opening == "<" or (kind == "struct" and text.startswith(",", at)):
        name, at = "element", _expect(text, at, opening)
        if kind == "struct":
            name, at = _word(text, at)
            at = _expect(text, at, ":")
        if name in fields:
            raise _error(text, at, "a member that is not there yet")
        fields[name], at = _parse(text, at)
        opening = ","
    return HiveType(kind, tuple(fields.items())), _expect(text, at, ">")


def _word(text: str, at: int) -> tuple[str, int]:
    match = _WORD.match(text, at)
    if match is None:
        raise _error(text, at, "a name")
    return match[0], match.end()


def _expect(text: str, at: int, sign: str) -> int:
    if not text.startswith(sign, at):
        raise _error(text, at, repr(sign))
    return at + 1


def _error(text: str, at: int, expected: str) -> ValueError:
    return ValueError(f"{text!r} is not a Hive type: expected {expected} at {text[at:] or 'its end'!r}")


_Members = dict[str, "HiveType | _Members"]


def event_type(columns: Iterable[Column]) -> HiveType:
    """Return the struct an event is as far as `columns` are in it; a column without a path is a member by its name.

    Raises:
        ValueError: A column lies within another, or two say of the same member that it is different things.
    """
    members: _Members = {}
    for column in columns:
        parent, path = members, path_of(column)
        for name in path[:-1]:
            found = parent.setdefault(name, {})
            if isinstance(found, HiveType):
                raise ValueError(f"column {column.name} lies within another: one of them has to go")
            parent = found
        type_ = parse_hive(column.type)
        if parent.setdefault(path[-1], type_) != type_:
            raise ValueError(f"column {column.name} is of another type than what stands at its path already")
    return _struct(members)


def path_of(column: Column) -> tuple[str, ...]:
    """Return the members that lead to a column in a clean line."""
    return column.path or (column.name,)


def _struct(members: _Members) -> HiveType:
    return HiveType(
        "struct",
        tuple((name, part if isinstance(part, HiveType) else _struct(part)) for name, part in members.items()),
    )
