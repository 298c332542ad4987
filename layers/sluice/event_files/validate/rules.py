"""A contract's schema, compiled: rules that an event breaks, members that the schema does not know, whole numbers.

JSON Schema takes 1.0 and 1e3 for integers, an int64 column does not: these are written as whole numbers.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import jsonschema_rs
import orjson

from sluice.contracts.model import Contract, HiveType, event_type

MOST_BREAKS = 100
"""Most broken rules reported per event; a hostile event could break millions."""
MOST_ITEMS = 5_000
"""Most items of an event's lists that reasons are looked for in: each costs memory, as does everything beside it."""

_SMALL = 2 * MOST_ITEMS  # bytes of an event that cannot hold more items than that: each takes a comma, too
_MASK = "the value"  # stands where a message would quote the value: reasons must not leak what people wrote
_LARGE_FLOAT = re.compile(r"[0-9]e\+")  # orjson reads integers beyond 64 bits as floats and writes them like this
_EXACT = 2**53  # from this number on, two whole numbers may be parsed as the same float
_GUARDED_END = rb'(?![\\s\\S])"'

_WRITTEN_WHOLE = {"$schema": "http://json-schema.org/draft-04/schema#", "type": ["integer", "null"]}
"""Integers in the one dialect that does not take 1.0 for one."""

_Mend = Callable[[Any], bool]


class TooDeepError(Exception):
    """The event nests deeper than its unknown members can be written (254 levels, at most)."""


class InexactError(Exception):
    """A whole number of 2^53 or more, at `pointer`, is written with point or exponent: parsing may have rounded it."""

    def __init__(self, pointer: str = "") -> None:
        super().__init__(pointer)
        self.pointer = pointer


class RuleBreak(NamedTuple):
    """One broken rule: the schema keyword, the JSON pointer of the offending or missing member, and a sentence."""

    rule: str
    pointer: str
    message: str


TOO_DEEP = RuleBreak(
    "depth", "", "it is nested deeper than 254 levels, and breaks a rule, or has unknown members or values to correct"
)
_BEYOND = RuleBreak("items", "", f"a rule is broken beyond the first {MOST_ITEMS} items of the event's lists")


class Rules:
    """Checks events against one contract, and keeps their members that it does not know."""

    def __init__(self, contract: Contract) -> None:
        self._known = members_of(contract.schema)
        self._schema = jsonschema_rs.Draft202012Validator(contract.schema, mask=_MASK)
        # The same schema, narrowed to what most events are, tells by one call that there is nothing to do.
        usual = _with_plain_ends(with_whole_numbers(closed(contract.schema, self._known), contract))
        self.hold: Callable[[dict[str, Any]], bool] = jsonschema_rs.Draft202012Validator(usual).is_valid
        """Return whether an event is valid, without unknown members, and its whole numbers are written as such."""

    def breaks(self, event: dict[str, Any], size: int | None = None) -> list[RuleBreak]:
        """Return the rules that `event` breaks, none when it is valid; `size` is the length of its text, if known."""
        if self._schema.is_valid(event):
            return []
        try:
            if size is not None and size <= _SMALL:
                return self._reasons(event)
            return self._reasons(thinned(self._known, event, iter(range(MOST_ITEMS)))) or [_BEYOND]
        except (ValueError, RecursionError):  # neither a reason nor thinning can copy a value as deep as that
            return [TOO_DEEP]

    def _reasons(self, event: dict[str, Any]) -> list[RuleBreak]:
        """Return all reasons; the validator copies an object for each, so that large ones are thinned before."""
        return [_rule_break(error) for error in islice(self._schema.iter_errors(event), MOST_BREAKS)]

    def rescue(self, event: dict[str, Any], raw: memoryview) -> tuple[str | None, int]:
        """Return the unknown members as one JSON object, value by JSON pointer, and their count.

        `raw` is the event as delivered. Raises TooDeepError.
        """
        unknown: dict[str, Any] = {}
        _collect(self._known, event, [], unknown)
        if not unknown:
            return None, 0
        try:
            text = orjson.dumps(unknown).decode()
        except orjson.JSONEncodeError as error:
            raise TooDeepError from error
        return self._exact(raw) if _LARGE_FLOAT.search(text) else text, len(unknown)

    def _exact(self, raw: memoryview) -> str:
        """Write the unknown members with integers of any size."""
        unknown: dict[str, Any] = {}
        try:
            _collect(self._known, json.loads(bytes(raw)), [], unknown)
        except RecursionError as error:  # of a known member of any shape
            raise TooDeepError from error
        return json.dumps(unknown, ensure_ascii=False, separators=(",", ":"))


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


def whole(number: float) -> int:
    """Return a valid integer as an int. Raises InexactError."""
    if type(number) is int:
        return number
    if abs(number) >= _EXACT:
        raise InexactError
    return int(number)


def mending_whole_numbers(contract: Contract) -> Callable[[dict[str, Any]], bool]:
    """Return the function that writes the whole numbers of a contract's columns as such.

    It changes a valid event in place, and returns whether it did. It raises InexactError.
    """
    return _mending(event_type(contract.columns)) or (lambda _: False)


def _mending(type_: HiveType) -> _Mend | None:
    """Return the function that changes values of a type in place; None if the type has no whole numbers."""
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


def _with_plain_ends(schema: Any) -> Any:  # noqa: ANN401
    """Write the end of patterns as ``$``, which costs half: to this validator it is the very end of the text."""
    return orjson.loads(orjson.dumps(schema).replace(_GUARDED_END, b'$"'))


def pointer(members: list[str | int]) -> str:
    """Write a path as a JSON pointer (RFC 6901)."""
    return "".join([f"/{str(member).replace('~', '~0').replace('/', '~1')}" for member in members])


def _rule_break(error: jsonschema_rs.ValidationError) -> RuleBreak:
    kind = error.kind
    missing = [kind.property] if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required) else []
    return RuleBreak(kind.name, pointer([*error.instance_path, *missing]), error.message)


@dataclass(frozen=True, slots=True)
class SchemaMembers:
    """The members a schema names, with those among them that have members of their own."""

    names: frozenset[str]
    nested: tuple[tuple[str, "SchemaMembers"], ...]
    items: "SchemaMembers | None" = None


OPAQUE = SchemaMembers(frozenset(), ())
"""Members of a value that the schema does not describe."""


def members_of(*schemas: Any) -> SchemaMembers:  # noqa: ANN401
    """Return the members that `schemas`, which all apply to the same value, name."""
    members: dict[str, list[Any]] = {}
    items: list[Any] = []
    for schema in schemas:
        _gather(schema, members, items)
    nested = tuple((name, known) for name, parts in members.items() if (known := members_of(*parts)) != OPAQUE)
    of_items = members_of(*items) if items else OPAQUE
    return SchemaMembers(frozenset(members), nested, None if of_items == OPAQUE else of_items)


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


def closed(schema: Any, known: SchemaMembers) -> Any:  # noqa: ANN401
    """Return the schema of the same values without unknown members."""
    if known == OPAQUE or schema is False:
        return schema
    schema = {} if schema is True else schema
    narrowed = {key: part for key, part in schema.items() if key != "patternProperties"}
    if known.names:
        nested, members = dict(known.nested), schema.get("properties", {})
        narrowed["properties"] = {
            name: closed(members.get(name, {}), nested.get(name, OPAQUE)) for name in sorted(known.names)
        }
        narrowed["additionalProperties"] = False
    if known.items:
        narrowed["items"] = closed(schema.get("items", {}), known.items)
    return narrowed


def thinned(known: SchemaMembers, value: Any, allowance: Iterator[int]) -> Any:  # noqa: ANN401
    """Copy the known part of `value`, with as many list items as `allowance` has; JSON pointers stay the same."""
    if isinstance(value, dict):
        nested = dict(known.nested)
        members = ((name, member) for name, member in value.items() if name in known.names)
        return {name: thinned(nested.get(name, OPAQUE), member, allowance) for name, member in members}
    if isinstance(value, list):
        items = zip(value, allowance, strict=False)
        return [thinned(known.items or OPAQUE, item, allowance) for item, _ in items]
    return value


def _collect(known: SchemaMembers, value: Any, path: list[str | int], unknown: dict[str, Any]) -> None:  # noqa: ANN401
    if isinstance(value, dict):
        if known.names and not value.keys() <= known.names:
            unknown.update({pointer([*path, name]): value[name] for name in value if name not in known.names})
        for name, child in known.nested:
            if member := value.get(name):
                _collect(child, member, [*path, name], unknown)
    elif known.items and isinstance(value, list):
        for index, item in enumerate(value):
            _collect(known.items, item, [*path, index], unknown)
