"""Hive's type notation, the one source of column types, parsed into a tree."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sluice.contracts.model import Column

PRIMITIVES = frozenset({"string", "bigint", "int", "double", "boolean", "timestamp"})

_TOKEN = re.compile(r"[a-z_][a-z0-9_]*|[<>:,]")


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
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text:
        raise ValueError(f"{text!r} is not a Hive type: write lower case, without spaces")
    parser = _Parser(text, tokens)
    parsed = parser.type()
    parser.end()
    return parsed


class _Parser:
    def __init__(self, text: str, tokens: list[str]) -> None:
        self._text = text
        self._tokens = [*tokens, ""]
        self._at = 0

    def type(self) -> HiveType:
        kind = self._next()
        if kind in PRIMITIVES:
            return HiveType(kind)
        if kind not in {"array", "struct"}:
            raise self._error(f"unknown type {kind!r}")
        self._expect("<")
        fields = (("element", self.type()),) if kind == "array" else self._members()
        self._expect(">")
        return HiveType(kind, fields)

    def end(self) -> None:
        self._expect("")

    def _members(self) -> tuple[tuple[str, HiveType], ...]:
        members = [self._member()]
        while self._tokens[self._at] == ",":
            self._expect(",")
            members.append(self._member())
        if len(dict(members)) < len(members):
            raise self._error("a struct names a member twice")
        return tuple(members)

    def _member(self) -> tuple[str, HiveType]:
        name = self._next()
        if not name.isidentifier():
            raise self._error(f"{name!r} is not a member name")
        self._expect(":")
        return name, self.type()

    def _next(self) -> str:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        found = self._next()
        if found != token:
            raise self._error(f"expected {token or 'the end'!r}, found {found or 'the end'!r}")

    def _error(self, problem: str) -> ValueError:
        return ValueError(f"{self._text!r} is not a Hive type: {problem}")


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
