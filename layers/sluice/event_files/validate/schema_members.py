"""What a contract's schema names: the members of an event that mean something to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Known:
    """The members a schema names, with those among them that have members of their own."""

    names: frozenset[str]
    nested: tuple[tuple[str, "Known"], ...]
    items: "Known | None" = None


OPAQUE = Known(frozenset(), ())
"""What the schema says nothing about: it may hold anything."""


def known_of(*schemas: Any) -> Known:  # noqa: ANN401
    """Return what `schemas`, which all apply to the same value, name."""
    members: dict[str, list[Any]] = {}
    items: list[Any] = []
    for schema in schemas:
        _gather(schema, members, items)
    nested = tuple((name, known) for name, parts in members.items() if (known := known_of(*parts)) != OPAQUE)
    of_items = known_of(*items) if items else OPAQUE
    return Known(frozenset(members), nested, None if of_items == OPAQUE else of_items)


def _gather(schema: Any, members: dict[str, list[Any]], items: list[Any]) -> None:  # noqa: ANN401
    """Add up what a schema and the schemas that apply beside it say of an object's members and a list's items."""
    if not isinstance(schema, dict):
        return
    for name, member in schema.get("properties", {}).items():
        members.setdefault(name, []).append(member)
    if "items" in schema:
        items.append(schema["items"])
    beside = [schema[key] for key in ("if", "then", "else") if key in schema]
    for part in [*beside, *(part for key in ("allOf", "anyOf", "oneOf") for part in schema.get(key, ()))]:
        _gather(part, members, items)


def closed(schema: Any, known: Known) -> Any:  # noqa: ANN401
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


def thinned(known: Known, value: Any, allowance: Iterator[int]) -> Any:  # noqa: ANN401
    """Copy what is known of `value`, with as many items of its lists as `allowance` has; places stay the same."""
    if isinstance(value, dict):
        nested = dict(known.nested)
        members = ((name, member) for name, member in value.items() if name in known.names)
        return {name: thinned(nested.get(name, OPAQUE), member, allowance) for name, member in members}
    if isinstance(value, list):
        items = zip(value, allowance, strict=False)
        return [thinned(known.items or OPAQUE, item, allowance) for item, _ in items]
    return value
