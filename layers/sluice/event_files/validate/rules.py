"""A contract's schema, compiled: the rules that an event breaks, and whole numbers.

JSON Schema takes 1.0 and 1e3 for integers, an int64 column does not: these are written as whole numbers.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import jsonschema_rs
import orjson

from sluice.contracts.formats import FORMATS
from sluice.contracts.model import Contract, HiveType, event_type
from sluice.event_files.validate.members import (
    WRITTEN_WHOLE,
    Leftovers,
    Unread,
    closed,
    collect,
    members_of,
    members_read,
    pointer,
    thinned,
)

MOST_BREAKS = 100
"""Most broken rules reported per event; a hostile event could break millions."""
MOST_ITEMS = 5_000
"""Most items of an event's lists that reasons are looked for in: each costs memory, as does everything beside it."""

_SMALL = 2 * MOST_ITEMS  # bytes of an event that cannot hold more items than that: each takes a comma, too
_LARGE = 1 << 20  # bytes of an event that is not copied for each reason, whatever it holds
_MASK = "the value"  # stands where a message would quote the value: reasons must not leak what people wrote
_EXACT = 2**53  # from this number on, two whole numbers may be parsed as the same float
_FORMAT_OF = {pattern: name for name, pattern in FORMATS.items()}
_GUARDED_END = rb'(?![\\s\\S])"'

_Mend = Callable[[Any], bool]


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
    """Checks events against one contract, and keeps their members that no column reads."""

    def __init__(self, contract: Contract) -> None:
        self._known, read = members_of(contract.schema), members_read(contract)
        self._leftovers = Leftovers(self._known, read)
        self._schema = jsonschema_rs.Draft202012Validator(contract.schema, mask=_MASK)
        # The same schema, narrowed to what most events are, tells by one call that there is nothing to do.
        usual = _with_plain_ends(with_whole_numbers(closed(contract.schema, self._known, read), contract))
        self.hold: Callable[[dict[str, Any]], bool] = jsonschema_rs.Draft202012Validator(usual).is_valid
        """Return whether an event is valid and usual: as `closed` says, and its whole numbers are written as such."""
        self.unread_of_usual = self._leftovers.of_usual
        """Return the members of a usual event that no column reads."""

    def breaks(self, event: dict[str, Any], raw: memoryview | None = None) -> list[RuleBreak]:
        """Return the rules that `event` breaks, none when it is valid; `raw` is its text, if known."""
        try:
            if raw is not None and len(raw) <= _SMALL:
                return self._reasons(event)
            if self._schema.is_valid(event):
                return []
            if raw is not None and _has_few_items(raw):
                return self._reasons(event)
            return self._reasons(thinned(self._known, event, iter(range(MOST_ITEMS)))) or [_BEYOND]
        except (ValueError, RecursionError):  # neither a reason nor thinning can copy a value as deep as that
            return [TOO_DEEP]

    def _reasons(self, event: dict[str, Any]) -> list[RuleBreak]:
        """Return all reasons; the validator copies an object for each, so that large ones are thinned before."""
        return [_rule_break(error) for error in islice(self._schema.iter_errors(event), MOST_BREAKS)]

    def unread(self, event: dict[str, Any], raw: memoryview) -> tuple[Unread, int]:
        """Return the members of a valid event that no column reads, and how many the schema does not even know.

        `raw` is the event as delivered. Raises RecursionError.
        """
        return self._leftovers.of_any(event, raw), self._unknown(event)

    def _unknown(self, event: dict[str, Any]) -> int:
        unknown: Unread = {}  # with names that may be large: not kept while the unread are collected
        collect(self._known, event, [], unknown)
        return len(unknown)


def _has_few_items(raw: memoryview) -> bool:
    return len(raw) <= _LARGE and bytes(raw).count(b",") < MOST_ITEMS


def with_whole_numbers(schema: Any, contract: Contract) -> Any:  # noqa: ANN401
    """Return the schema of the same events with the whole numbers of the contract's columns written as such."""
    return _written_whole(schema, event_type(contract.columns))


def _written_whole(schema: Any, type_: HiveType) -> Any:  # noqa: ANN401
    if not isinstance(schema, dict):
        return schema
    if type_.kind == "bigint":
        return {**schema, "allOf": [*schema.get("allOf", ()), WRITTEN_WHOLE]}
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


def _rule_break(error: jsonschema_rs.ValidationError) -> RuleBreak:
    kind = error.kind
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.Pattern) and (name := _FORMAT_OF.get(kind.pattern)):
        return RuleBreak("format", pointer([*error.instance_path]), f"{_MASK} is not of the format {name}")
    missing = [kind.property] if isinstance(kind, jsonschema_rs.ValidationErrorKind.Required) else []
    return RuleBreak(kind.name, pointer([*error.instance_path, *missing]), error.message)
