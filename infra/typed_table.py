"""Dataclasses of settings changed by tables of TOML: unknown keys, wrong types, values out of range are refused by key.

A field's type says what is taken: a number, text, a list, an enumeration, another dataclass (a table, of which only the
given keys are changed), or one of these or None, which TOML writes as `false`. `Annotated` with `Between` or `Matching`
says more.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from enum import Enum
from math import inf
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

T = TypeVar("T")


class TableError(ValueError):
    """A key or value of a table is wrong; the message names the key, what is wrong and what would be right."""


@dataclass(frozen=True, slots=True)
class Between:
    """A number of this range; `only` lists the values where not all of them are taken."""

    least: float
    most: float | None = None
    only: tuple[int, ...] = ()

    def problem(self, value: float) -> str:
        """Return what is wrong with a value, or nothing."""
        if self.only and value not in self.only:
            return f"use one of {', '.join(map(str, self.only))}"
        if not self.least <= value <= (inf if self.most is None else self.most):
            return f"use at least {self.least}" + ("" if self.most is None else f" and at most {self.most}")
        return ""


@dataclass(frozen=True, slots=True)
class Matching:
    """Text of a form, which `example` shows."""

    pattern: str
    example: str

    def problem(self, value: str) -> str:
        """Return what is wrong with a value, or nothing."""
        return "" if re.fullmatch(self.pattern, value) else f"write it like {self.example}"


def changed(settings: T, table: Mapping[str, object], place: str) -> T:
    """Return settings, an instance of a dataclass, with what a table gives; `place` is the table's name in messages.

    Raises:
        TableError: The table names an unknown setting or gives a wrong value.
    """
    values = _values(type(settings), table, place, settings)
    try:
        return cast("T", replace(cast("Any", settings), **values))
    except ValueError as error:
        raise TableError(f"{place}: {error}") from None


def assert_table(value: object, place: str) -> Mapping[str, object]:
    """Return a value that is a table.

    Raises:
        TableError: It is none.
    """
    if not isinstance(value, Mapping):
        raise TableError(f"{place}: {_shown(value)} is no table; write its settings below [{place}]")
    return value


def keys_of(kind: Any) -> list[str]:  # noqa: ANN401 - any dataclass
    """Return the settings of a dataclass that a table may give."""
    return [field.name for field in fields(kind) if field.metadata.get("in_file", True)]


def unknown_key(key: str, known: Iterable[str], place: str) -> TableError:
    """Return the refusal of a key, with the key that was probably meant, or all there are."""
    names = sorted(known)
    close = difflib.get_close_matches(key, names, 1)
    meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}"
    return TableError(f"{place}.{key} is no setting; {meant}")


def _values(kind: type, table: Mapping[str, object], place: str, current: object = None) -> dict[str, Any]:
    hints = get_type_hints(kind, include_extras=True)
    known = keys_of(kind)
    for key in table:
        if key not in known:
            raise unknown_key(key, known, place)
    return {
        key: _value(hints[key], value, f"{place}.{key}", getattr(current, key, None)) for key, value in table.items()
    }


def _made(kind: type, table: Mapping[str, object], place: str) -> object:
    values = _values(kind, table, place)
    required = [field.name for field in fields(kind) if field.default is MISSING and field.name not in values]
    if required:
        raise TableError(f"{place}: {' and '.join(required)} must be given, too")
    try:
        return kind(**values)
    except ValueError as error:
        raise TableError(f"{place}: {error}") from None


def _value(kind: Any, value: object, place: str, current: object = None) -> object:  # noqa: ANN401 - any type
    if get_origin(kind) is Annotated:
        plain, *checks = get_args(kind)
        read = _value(plain, value, place, current)
        for check in checks:
            _assert(not (problem := check.problem(read)), place, value, problem)
        return read
    if get_origin(kind) in {Union, UnionType}:
        (some,) = [each for each in get_args(kind) if each is not NoneType]
        return None if value is False and some is not bool else _value(some, value, place, current)
    if is_dataclass(kind):
        table = assert_table(value, place)
        return _made(cast("type", kind), table, place) if current is None else changed(current, table, place)
    if get_origin(kind) is tuple:
        _assert(isinstance(value, list), place, value, 'use a list, such as ["…"]')
        return tuple(_value(get_args(kind)[0], each, place) for each in cast("list[object]", value))
    return _scalar(kind, value, place)


def _scalar(kind: Any, value: object, place: str) -> object:  # noqa: ANN401 - any type
    if get_origin(kind) is Literal or issubclass(kind, Enum):
        choices = get_args(kind) or [choice.value for choice in kind]
        _assert(value in choices, place, value, f"use one of {', '.join(choices)}")
        return value if get_origin(kind) is Literal else kind(value)
    if kind in {int, float}:
        taken: Any = (int, float) if kind is float else int
        _assert(isinstance(value, taken) and not isinstance(value, bool), place, value, f"use {_WORDS[kind]}")
        _assert(0 <= cast("float", value) < inf, place, value, "use a number that is not negative")
    else:
        _assert(isinstance(value, kind), place, value, f"use {_WORDS[kind]}")
    return value


def _assert(right: object, place: str, value: object, remedy: str) -> None:
    if not right:
        raise TableError(f"{place}: {_shown(value)} is wrong; {remedy}")


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


_WORDS = {int: "a whole number", float: "a number", str: 'text in quotes, such as "…"', bool: "true or false"}
