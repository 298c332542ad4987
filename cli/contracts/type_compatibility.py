"""Compatibility of schemas with column types: a valid value must always convert, unchanged."""

from collections.abc import Iterator, Sequence

from sluice.contracts.load import Schema, json_type
from sluice.contracts.model import TECHNICAL_COLUMNS, HiveType

INT64 = 2**63 - 1
"""Largest bigint; its negative is the smallest allowed, because parsers read -2^63 - 1 as the float -2^63."""
EXACT = 2**53
"""Largest whole number up to which a double holds all of them."""

_SCALARS: dict[str, frozenset[str]] = {
    "string": frozenset({"string"}),
    "bigint": frozenset({"integer"}),
    "double": frozenset({"integer", "number"}),
    "boolean": frozenset({"boolean"}),
    "array": frozenset({"array"}),
    "struct": frozenset({"object"}),
}


class MisfitError(ValueError):
    """The schema admits a value that the column cannot hold; the message names it and the remedy."""


def is_readable(path: Sequence[str]) -> bool:
    """Return whether conversion can read a member: technical columns have their names, and Arrow's end at a NUL."""
    return path[0] not in {column.name for column in TECHNICAL_COLUMNS} and not any("\0" in name for name in path)


def member_schema(schema: Schema, path: tuple[str, ...]) -> Schema:
    """Return the schema of the member at `path`. Raises MisfitError when there is none."""
    for depth, name in enumerate(path):
        where = ".".join(path[:depth]) or "the event"
        require(schema, frozenset({"object"}), where)
        found = [view["properties"][name] for view in views(schema) if name in view.get("properties", {})]
        if not found or not all(isinstance(each, dict) for each in found):
            raise MisfitError(f"the schema does not describe {'.'.join(path)}: {where} has no member {name!r}")
        schema = found[0] if len(found) == 1 else {"allOf": found}
    return schema


def require_fit(schema: Schema, hive: HiveType, where: str) -> None:
    """Raise MisfitError unless every value the schema admits at `where`, null apart, is a value of `hive`."""
    if hive.kind not in _SCALARS:
        raise MisfitError(f"{where}: no member of an event is a {hive}")
    require(schema, _SCALARS[hive.kind], where)
    if hive.kind == "bigint":
        require_bounds(schema, INT64, where)
    elif hive.kind == "double":
        require_bounds(schema, EXACT, where)
    elif hive.kind == "array":
        require_fit(_items(schema, where), hive.element, f"{where}[]")
    for name, type_ in hive.fields if hive.kind == "struct" else ():
        require_fit(member_schema(schema, (name,)), type_, f"{where}.{name}")


def require(schema: Schema, wanted: frozenset[str], where: str) -> None:
    """Raise MisfitError when the schema admits a type that is neither wanted nor null."""
    types = admitted_types(schema)
    if types is None:
        raise MisfitError(f"{where} may be anything: give it a type, {_either(wanted)}")
    if strangers := types - wanted - {"null"}:
        raise MisfitError(f"{where} may be {_either(strangers)}, which is not {_either(wanted)}")


def require_bounds(schema: Schema, limit: int, where: str) -> None:
    """Raise MisfitError unless numbers, where there may be any, are bounded to ``-limit … limit``."""
    if not {"integer", "number"} & (admitted_types(schema) or set()):
        return
    low = max((view["minimum"] for view in views(schema) if "minimum" in view), default=None)
    high = min((view["maximum"] for view in views(schema) if "maximum" in view), default=None)
    if low is None or high is None or low < -limit or high > limit:
        raise MisfitError(f"{where} is not bounded: give it a minimum from {-limit} and a maximum up to {limit}")


def admitted_types(schema: Schema) -> frozenset[str] | None:
    """Return the names of the types a schema admits; None when it does not restrict types."""
    stated = [types for view in views(schema) if (types := _stated_types(view)) is not None]
    return frozenset.intersection(*stated) if stated else None


def _stated_types(view: Schema) -> frozenset[str] | None:
    if "type" in view:
        return frozenset([view["type"]] if isinstance(view["type"], str) else view["type"])
    values = [view["const"]] if "const" in view else view.get("enum")
    return None if values is None else frozenset(json_type(value) for value in values)


def views(schema: Schema) -> Iterator[Schema]:
    """Yield the schema and every part of it that must hold as well."""
    yield schema
    for part in schema.get("allOf", ()):
        yield from views(part)


def _items(schema: Schema, where: str) -> Schema:
    items: Schema | None = next((view["items"] for view in views(schema) if isinstance(view.get("items"), dict)), None)
    if items is None:
        raise MisfitError(f"{where} is a list of anything: give its items a type")
    return items


def _either(types: frozenset[str]) -> str:
    return " or ".join(sorted(types))


RETYPING = frozenset({"list_of_string", "integer_to_string", "json_text"})
"""Corrections that change the type of their member; the others expect an object."""


def corrected(rule: str, schema: Schema, where: str) -> Schema:
    """Return the schema of a member after a correction. Raises MisfitError when the rule cannot correct all of it."""
    if rule == "list_of_string":
        require(schema, frozenset({"string", "array"}), where)
        return {"type": ["array", "null"], "items": _items(schema, where)}
    if rule == "integer_to_string":
        require(schema, frozenset({"string", "integer"}), where)
        require_bounds(schema, INT64, where)
    return {"type": ["string", "null"]} if rule in RETYPING else schema
