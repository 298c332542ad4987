"""Checks of a composed schema: its values can be held, its patterns are read alike, its parts do not contradict."""

import re
from collections.abc import Iterator
from typing import Any

from cli.contracts.keywords import check_keywords
from cli.contracts.type_compatibility import EXACT, INT64, MisfitError, admitted_types, require_bounds, views
from cli.contracts.validator_agreement import json_pointer
from sluice.contracts.formats import FORMATS
from sluice.contracts.load import LISTS, MAPS, SINGLES, Schema

Where = tuple[str, ...]

_ANYTHING = r"[\s\S]"
_DIALECT_DEPENDENT = re.compile(r"\\[dDwWsSbB]|\$")
_CLOSED = frozenset({"additionalProperties", "unevaluatedProperties", "propertyNames", "maxProperties"})
_PAIRS = (
    *(("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties")),
    *(("minContains", "maxContains"), ("minimum", "maximum"), ("exclusiveMinimum", "exclusiveMaximum")),
    *(("minimum", "exclusiveMaximum"), ("exclusiveMinimum", "maximum")),
)
_SIZES = sorted({"multipleOf", *(keyword for pair in _PAIRS for keyword in pair)})
_LIMITS = frozenset({INT64, -INT64, EXACT, -EXACT})  # of columns; the shared types state them


def check_schema(schema: Schema) -> Iterator[str]:
    """Yield what is wrong with a schema that both validators take."""
    yield from check_keywords(schema)
    for where, parts in _values([schema], ()):
        yield from _check_sizes(json_pointer(where) or "the event", parts)
    for where, part in _subschemas(schema, ()):
        yield from _check_part(json_pointer(where), part)


def _check_part(place: str, part: Schema) -> Iterator[str]:
    """Require bounds of numbers, room for unknown members, and patterns that all validators read alike."""
    types = admitted_types(part) or frozenset()
    limit = EXACT if "number" in types else INT64 if "integer" in types else None
    if limit and "type" in part:
        try:
            require_bounds(part, limit, place)
        except MisfitError as error:
            yield str(error)
    for keyword in sorted(_CLOSED & part.keys()):
        yield f"{place} uses {keyword}; unknown members are welcome everywhere: remove it"
    pattern = part.get("pattern", "")
    if pattern not in FORMATS.values() and _DIALECT_DEPENDENT.search(pattern.replace(_ANYTHING, "")):
        yield (
            f"{place} has the pattern {pattern}, which validators read differently: "
            f"spell classes such as \\d out, and end with (?!{_ANYTHING}) in place of $"
        )


def _subschemas(schema: Any, where: Where) -> Iterator[tuple[Where, Schema]]:  # noqa: ANN401
    """Yield every subschema that admits values, with its path; conditions admit none."""
    if not isinstance(schema, dict):
        return
    yield where, schema
    for key, value in schema.items():
        if key in MAPS:
            for name, part in value.items():
                yield from _subschemas(part, (*where, key, name))
        elif key in LISTS or key == "allOf":
            for index, part in enumerate(value):
                yield from _subschemas(part, (*where, key, str(index)))
        elif key in SINGLES - {"if", "not"}:
            yield from _subschemas(value, (*where, key))


def _values(schemas: list[Any], where: Where) -> Iterator[tuple[Where, list[Schema]]]:
    """Yield each value that schemas describe, by its path, with all parts of them that always hold of it."""
    parts = [view for schema in schemas if isinstance(schema, dict) for view in views(schema)]
    yield where, parts
    members: dict[str, list[Any]] = {}
    for part in parts:
        for name, member in part.get("properties", {}).items():
            members.setdefault(name, []).append(member)
    for name, described in members.items():
        yield from _values(described, (*where, name))
    if items := [part["items"] for part in parts if "items" in part]:
        yield from _values(items, (*where, "*"))


def _check_sizes(place: str, parts: list[Schema]) -> Iterator[str]:
    """Require that sizes and bounds of one value are stated once, and leave something between them."""
    stated = {keyword: sorted({part[keyword] for part in parts if keyword in part}) for keyword in _SIZES}
    for keyword, sizes in stated.items():
        if len(stricter := [size for size in sizes if size not in _LIMITS]) > 1:
            yield f"{place}: its schemas state {keyword} {' and '.join(map(str, stricter))}; state it once"
    for lower, upper in _PAIRS:
        if not stated[lower] or not stated[upper]:
            continue
        low, high = stated[lower][-1], stated[upper][0]
        if low > high or (low == high and "exclusive" in lower + upper):
            yield f"{place}: nothing has {lower} {low} and {upper} {high}"
