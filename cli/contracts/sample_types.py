"""Types that samples show: the schema that admits them all, and the column that holds them."""

from collections.abc import Iterator, Sequence
from typing import Any

from cli.contracts.type_compatibility import EXACT, INT64, admitted_types
from sluice.contracts.load import Schema, json_type
from sluice.contracts.model import HiveType, parse_hive

_PRIMITIVES = {"string": "string", "integer": "bigint", "number": "double", "boolean": "boolean"}
_SCALARS = frozenset(_PRIMITIVES)
_LEVELS = 8  # of objects and lists; what lies deeper is anything
_MOST_MEMBERS = 100  # of an object; one with more is taken for a map of values by name, and held as a whole

ONLY_NULL: Schema = {"$comment": "Null in every sample: give it a type and a column once it holds something."}


def infer_schema(values: Sequence[Any], levels: int = _LEVELS) -> Schema:
    """Return the narrowest schema, without enumerations, that admits all `values`; empty where their types are mixed.

    Members of objects are required where every object has them. Numbers are bounded to what a column holds.
    """
    types = list(dict.fromkeys(json_type(value) for value in values))
    if "number" in types and "integer" in types:
        types.remove("integer")
    known = set(types) - {"null"}
    if not known:
        return dict(ONLY_NULL)
    if not (len(known) == 1 or known <= _SCALARS or known == {"string", "array"}):
        return {}
    schema: Schema = {"type": types[0] if len(types) == 1 else types}
    if limit := _limit(known):
        if any(abs(value) > limit for value in values if isinstance(value, int | float)):
            return {}
        schema |= {"minimum": -limit, "maximum": limit}
    if "array" in known and levels:
        items = [item for value in values if isinstance(value, list) for item in value]
        if items and (of_items := infer_schema(items, levels - 1)):
            schema["items"] = of_items
    if "object" in known and levels:
        schema |= _members([value for value in values if isinstance(value, dict)], levels - 1)
    return schema


def _limit(types: set[str]) -> int | None:
    """Return the bound of numbers: that of a bigint, or of the integers that a double holds exactly."""
    if types <= {"string", "integer"}:
        return INT64 if "integer" in types else None
    return EXACT if types & {"integer", "number"} else None


def _members(objects: Sequence[dict[str, Any]], levels: int) -> Schema:
    names = list(dict.fromkeys(name for each in objects for name in each))
    if not names or len(names) > _MOST_MEMBERS:
        return {}
    properties = {name: infer_schema([each[name] for each in objects if name in each], levels) for name in names}
    required = [name for name in names if all(name in each for each in objects)]
    return {"required": required, "properties": properties} if required else {"properties": properties}


def column_type(schema: Schema) -> tuple[HiveType, str | None] | None:
    """Return the column type for the values a schema admits, with the correction they need.

    Return None for what is null in every sample: nobody knows what it will be.
    """
    known = (admitted_types(schema) or frozenset()) - {"null"}
    if schema == ONLY_NULL:
        return None
    if hive := _hive(schema):
        return hive, None
    if known == {"string", "array"} and (items := _hive(schema.get("items", {}))) == HiveType("string"):
        return HiveType("array", (("element", items),)), "list_of_string"
    return HiveType("string"), "integer_to_string" if known == {"string", "integer"} else "json_text"


def _hive(schema: Schema) -> HiveType | None:
    """Return the type that holds all the samples show, without a correction; a struct's members have plain names."""
    known = (admitted_types(schema) or frozenset()) - {"null"}
    if len(known) != 1:
        return None
    (name,) = known
    if name == "array":
        items = _hive(schema.get("items", {}))
        return items and HiveType("array", (("element", items),))
    if name == "object":
        fields = tuple(_fields(schema))
        return HiveType("struct", fields) if fields and all(type_ for _, type_ in fields) else None  # type: ignore[arg-type]
    return HiveType(_PRIMITIVES[name])


def _fields(schema: Schema) -> Iterator[tuple[str, HiveType | None]]:
    for name, member in schema.get("properties", {}).items():
        if member != ONLY_NULL:
            yield name, _hive(member) if _is_word(name) else None


def _is_word(name: str) -> bool:
    """Return whether a struct may have a member of this name."""
    try:
        return bool(parse_hive(f"struct<{name}:string>").fields[0][0] == name)
    except ValueError:
        return False
