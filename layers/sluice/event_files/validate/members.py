"""Members of events: those a contract's schema names, those its columns read, and the rest, which is kept as delivered.

A column that a member lies in, or is, reads it. What no column reads is kept by its JSON pointer.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from sluice.contracts.model import Contract, HiveType, event_type

_TEXTS = ("string", "boolean", "null")
_DRAFT_4 = "http://json-schema.org/draft-04/schema#"

WRITTEN_WHOLE = {"$schema": _DRAFT_4, "type": ["integer", "null"]}
"""Integers in the one dialect that does not take 1.0 for one."""
_NOT_FLOAT = {"$schema": _DRAFT_4, "type": [*_TEXTS, "integer"], "minimum": 1}
_PLAIN = {**_NOT_FLOAT, "type": [*_TEXTS, "integer", "array", "object"]} | dict.fromkeys(
    ("items", "additionalProperties"), _NOT_FLOAT
)
"""Values that are written in one way only: 0 may have been -0, and a float anything that rounds to it."""


@dataclass(frozen=True, slots=True)
class Members:
    """Members of an object or of a list's items, with those among them that have members of their own."""

    names: frozenset[str]
    nested: tuple[tuple[str, "Members"], ...]
    items: "Members | None" = None
    passage: bool = False
    """Tell whether columns lie in the object and none is the object: none tells that it is empty, or null."""


OPAQUE = Members(frozenset(), ())
"""Members of a value that is taken whole."""


def members_of(*schemas: Any) -> Members:  # noqa: ANN401
    """Return the members that `schemas`, which all apply to the same value, name."""
    members: dict[str, list[Any]] = {}
    items: list[Any] = []
    for schema in schemas:
        _gather(schema, members, items)
    nested = tuple((name, known) for name, parts in members.items() if (known := members_of(*parts)) != OPAQUE)
    of_items = members_of(*items) if items else OPAQUE
    return Members(frozenset(members), nested, None if of_items == OPAQUE else of_items)


def _gather(schema: Any, members: dict[str, list[Any]], items: list[Any]) -> None:  # noqa: ANN401
    """Collect the schemas of an object's members and a list's items, from all that apply beside each other."""
    if not isinstance(schema, dict):
        return
    for name, member in schema.get("properties", {}).items():
        members.setdefault(name, []).append(member)
    if "items" in schema:
        items.append(schema["items"])
    beside = [schema[key] for key in ("if", "then", "else") if key in schema]
    for part in [*beside, *(part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, ()))]:
        _gather(part, members, items)


def members_read(contract: Contract) -> Members:
    """Return the members that the columns of a contract read."""
    passages = {column.path[:depth] for column in contract.columns for depth in range(1, len(column.path))}
    return _read(event_type(contract.columns), (), passages)


def _read(type_: HiveType, path: tuple[str, ...], passages: set[tuple[str, ...]]) -> Members:
    if type_.kind == "array":
        items = _read(type_.element, (*path, ""), passages)
        return OPAQUE if items == OPAQUE else Members(frozenset(), (), items)
    read = [(name, _read(member, (*path, name), passages)) for name, member in type_.fields]
    nested = tuple((name, members) for name, members in read if members != OPAQUE)
    return Members(frozenset(name for name, _ in read), nested, passage=path in passages)


def thinned(known: Members, value: Any, allowance: Iterator[int]) -> Any:  # noqa: ANN401
    """Copy the known part of `value`, with as many list items as `allowance` has; JSON pointers stay the same."""
    if isinstance(value, dict):
        nested = dict(known.nested)
        members = ((name, member) for name, member in value.items() if name in known.names)
        return {name: thinned(nested.get(name, OPAQUE), member, allowance) for name, member in members}
    if isinstance(value, list):
        items = zip(value, allowance, strict=False)
        return [thinned(known.items or OPAQUE, item, allowance) for item, _ in items]
    return value


def closed(schema: Any, known: Members, read: Members, *, in_list: bool = False) -> Any:  # noqa: ANN401
    """Return the schema of the same values as most events hold them.

    Their members are known, and those that no column reads are in no list and written in the one way there is.
    """
    if read == OPAQUE or schema is False:
        return schema
    schema = {} if schema is True else schema
    narrowed = {key: part for key, part in schema.items() if key != "patternProperties"}
    if read.names:
        members, nested, nested_read = schema.get("properties", {}), dict(known.nested), dict(read.nested)
        narrowed["properties"] = {
            name: closed(
                members.get(name, {}), nested.get(name, OPAQUE), nested_read.get(name, OPAQUE), in_list=in_list
            )
            if name in read.names
            else _plain(members.get(name, {}))
            for name in sorted(read.names if in_list else read.names | known.names)
        }
        narrowed["additionalProperties"] = False
    if read.passage:
        narrowed["type"] = "object"
        narrowed["minProperties"] = max(1, schema.get("minProperties", 1))
    if read.items:
        narrowed["items"] = closed(schema.get("items", {}), known.items or OPAQUE, read.items, in_list=True)
    return narrowed


def _plain(schema: Any) -> Any:  # noqa: ANN401
    if not isinstance(schema, dict):
        return _PLAIN if schema else schema
    return schema if _is_text(schema) else {**schema, "allOf": [*schema.get("allOf", ()), _PLAIN]}


def _is_text(schema: dict[str, Any]) -> bool:
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    types = [schema["type"]] if isinstance(schema.get("type"), str) else schema.get("type", [])
    if values:
        return all(value is None or isinstance(value, str) for value in values)
    return bool(types) and set(types) <= {*_TEXTS}


_PLAIN_NAME = re.compile("[A-Za-z0-9_-]+")  # no escape but \\u writes a part of it
_NUMBER_OF_MEMBER = re.compile(rb'[^\\]"[^"]+"[ \t\r\n]*:[ \t\r\n]*(-?[0-9][0-9.eE+-]*)')

_NEGATIVE_ZERO = re.compile(rb"-0[\s,\]}]")  # or a text with it: that is looked into in vain
_MOST_LOOKED_FOR = 8  # members of an event, each through all its text; more are found by reading it once

_NOTHING: dict[str, Any] = {}

Unread = dict[str, Any]
"""Members that no column reads, by JSON pointer."""


class Leftovers:
    """Takes from events of one contract what no column reads."""

    def __init__(self, known: Members, read: Members) -> None:
        self._read = read
        self._places = tuple(_left(known, read, ()))

    def of_usual(self, event: dict[str, Any]) -> Unread:
        """Return the unread members of an event of the closed schema."""
        unread: Unread = {}
        for path, members in self._places:
            parent: Any = event
            for name in path:
                parent = parent.get(name) or _NOTHING
            for name, place in members:
                if name in parent:
                    unread[place] = parent[name]
        return unread

    def of_any(self, event: dict[str, Any], raw: memoryview) -> Unread:
        """Return the unread members of a valid event, delivered as `raw`. Raise RecursionError."""
        unread: Unread = {}
        collect(self._read, event, [], unread)
        return as_written(unread, raw)


def _left(known: Members, read: Members, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield the objects, by path, with the known members that are not read, and their pointers."""
    if names := sorted(known.names - read.names):
        yield path, tuple((name, pointer([*path, name])) for name in names)
    nested = dict(known.nested)
    for name, child in read.nested:
        if not child.items:
            yield from _left(nested.get(name, OPAQUE), child, (*path, name))


def collect(members: Members, value: Any, path: list[str | int], others: Unread) -> None:  # noqa: ANN401
    """Add what `value` has beside `members` to `others`."""
    if isinstance(value, dict):
        if members.names and not value.keys() <= members.names:
            place = pointer(path)
            others.update({place + _step(name): value[name] for name in value if name not in members.names})
        for name, child in members.nested:
            member = value.get(name)
            if member:
                collect(child, member, [*path, name], others)
            elif child.passage and name in value:
                others[pointer([*path, name])] = member
    elif members.items and isinstance(value, list):
        for index, item in enumerate(value):
            collect(members.items, item, [*path, index], others)


def as_delivered(pointers: Iterable[str], raw: memoryview) -> Unread:
    """Return members of the event delivered as `raw`, for values that were changed since. Raise RecursionError."""
    event = orjson.loads(raw)
    return as_written({place: _at(event, place) for place in pointers}, raw)


def as_written(values: Unread, raw: memoryview) -> Unread:
    """Return members of the event delivered as `raw` so that orjson writes their numbers as they are there.

    Raises RecursionError.
    """
    if not _is_doubtful(values):
        return values
    text = bytes(raw)
    doubtful = [place for place, value in values.items() if _is_doubtful(value)]
    if len(doubtful) <= _MOST_LOOKED_FOR:
        written = {place: _number_in(text, place) for place in doubtful}
        if all(written.values()):
            return {**values, **written}
    event = json.loads(text, parse_float=orjson.Fragment, parse_int=orjson.Fragment)
    return {place: _at(event, place) for place in values}


def with_signed_zeros(raw: memoryview) -> Any | None:  # noqa: ANN401
    """Parse an event in which a number is -0, as a float, which has its sign; None where none is.

    orjson reads it as 0, and so it would be written: another value in a column of doubles.
    """
    if not _NEGATIVE_ZERO.search(raw):
        return None
    try:
        return json.loads(bytes(raw), parse_int=lambda digits: -0.0 if digits == "-0" else orjson.loads(digits))
    except RecursionError:  # nested deeper than that parser goes
        return None


def _number_in(text: bytes, place: str) -> orjson.Fragment | None:
    """Return a member that is a number, as it is written; None where finding it takes more than its name."""
    name = place.rpartition("/")[2]
    key = b'"%b"' % name.encode()
    if b"\\u" in text or not _PLAIN_NAME.fullmatch(name) or text.count(key) != 1:
        return None
    number = _NUMBER_OF_MEMBER.match(text, text.index(key) - 1)
    return orjson.Fragment(number[1]) if number else None


def _is_doubtful(value: Any) -> bool:  # noqa: ANN401
    """Return whether a number in a parsed value may have been written in another way."""
    if isinstance(value, (dict, list)):  # lists may be long: their types are looked at before their items
        items = value.values() if isinstance(value, dict) else value
        types = set(map(type, items))
        if float in types or (int in types and 0 in items):
            return True
        return not types.isdisjoint((dict, list)) and any(
            _is_doubtful(item) for item in items if isinstance(item, (dict, list))
        )
    return type(value) is float or (value == 0 and type(value) is int)


def _at(value: Any, place: str) -> Any:  # noqa: ANN401
    for step in place.split("/")[1:]:
        value = value[int(step) if isinstance(value, list) else step.replace("~1", "/").replace("~0", "~")]
    return value


def pointer(members: list[str | int]) -> str:
    """Write a path as a JSON pointer (RFC 6901)."""
    return "".join(map(_step, members))


def _step(member: str | int) -> str:
    return f"/{str(member).replace('~', '~0').replace('/', '~1')}"
