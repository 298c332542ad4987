"""The contract's schema, compiled: every rule an event breaks, without the values that broke it."""

from collections.abc import Callable
from itertools import islice
from typing import Any, NamedTuple

import jsonschema_rs
import orjson

from sluice.contracts.model import Contract
from sluice.event_files.validate.schema_members import closed, known_of, thinned
from sluice.event_files.validate.whole_numbers import with_whole_numbers

MOST_BREAKS = 100
"""How many broken rules are reported per event; a hostile event could break millions."""
MOST_ITEMS = 5_000
"""How many items of an event's lists are looked at for reasons: each costs memory, and so does what stands beside."""

_SMALL = 2 * MOST_ITEMS  # bytes of an event that cannot hold more items than that: each takes a comma, too
_MASK = "the value"  # stands where a message would quote the value: reasons must not leak what people wrote
_GUARDED_END = rb'(?![\\s\\S])"'


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
    """Checks events against one contract."""

    def __init__(self, contract: Contract) -> None:
        """Compile the contract's schema, as it is and as most events keep it."""
        self._known = known_of(contract.schema)
        self._schema = jsonschema_rs.Draft202012Validator(contract.schema, mask=_MASK)
        usual = _with_plain_ends(with_whole_numbers(closed(contract.schema, self._known), contract))
        self.hold: Callable[[dict[str, Any]], bool] = jsonschema_rs.Draft202012Validator(usual).is_valid
        """Tells whether an event is valid, without unknown members, its whole numbers written as such: as most are."""

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
        """Ask for all reasons; each is made at once, with a copy of the object it is about: large ones are thinned."""
        return [_rule_break(error) for error in islice(self._schema.iter_errors(event), MOST_BREAKS)]


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
