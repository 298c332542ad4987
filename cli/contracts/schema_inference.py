"""What values have in common: a schema that admits them, and the column type such a schema fits. Not for functions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cli.contracts.type_compatibility import EXACT, INT64, admitted_types
from sluice.contracts.compose import Schema, json_type
from sluice.contracts.hive import HiveType

_MEMBER_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_PRIMITIVES = {"string": "string", "integer": "bigint", "number": "double", "boolean": "boolean"}
_SCALARS = frozenset(_PRIMITIVES)


def shape_of(values: Sequence[Any]) -> Schema:
    """The narrowest schema, short of listing values, that admits all `values`; empty where they have nothing in common.

    Members of objects are required where every object has them. Numbers are bounded to what a column holds.
    """
    types = list(dict.fromkeys(json_type(value) for value in values))
    if "number" in types and "integer" in types:
        types.remove("integer")
    known = set(types) - {"null"}
    if not known or not (len(known) == 1 or known <= _SCALARS or known == {"string", "array"}):
        return {}
    schema: Schema = {"type": types[0] if len(types) == 1 else types}
    if limit := _limit(known):
        if any(abs(value) > limit for value in values if isinstance(value, int | float)):
            return {}
        schema |= {"minimum": -limit, "maximum": limit}
    if "array" in known and (
        items := shape_of([item for value in values if isinstance(value, list) for item in value])
    ):
        schema["items"] = items
    if "object" in known:
        schema |= _members([value for value in values if isinstance(value, dict)])
    return schema


def _limit(types: set[str]) -> int | None:
    """The bound of numbers: what a bigint holds, or what a double holds exactly."""
    if types <= {"string", "integer"}:
        return INT64 if "integer" in types else None
    return EXACT if types & {"integer", "number"} else None


def _members(objects: Sequence[dict[str, Any]]) -> Schema:
    names = list(dict.fromkeys(name for each in objects for name in each))
    properties = {name: shape_of([each[name] for each in objects if name in each]) for name in names}
    required = [name for name in names if all(name in each for each in objects)]
    return {"required": required, "properties": properties} if required else {"properties": properties}


def column_type(schema: Schema) -> tuple[HiveType, str | None] | None:
    """The type of a column for the values a schema admits, with the correction they need; None when none fits."""
    known = (admitted_types(schema) or frozenset()) - {"null"}
    if hive := _hive(schema):
        return hive, None
    if known == {"string", "array"} and (items := _hive(schema.get("items", {}))) == HiveType("string"):
        return HiveType("array", (("element", items),)), "list_of_string"
    if known == {"string", "integer"}:
        return HiveType("string"), "integer_to_string"
    return (HiveType("string"), "json_text") if known and known <= _SCALARS else None


def _hive(schema: Schema) -> HiveType | None:
    """The type that fits without a correction; a struct leaves out the members that fit none."""
    known = (admitted_types(schema) or frozenset()) - {"null"}
    if len(known) != 1:
        return None
    (name,) = known
    if name == "array":
        items = _hive(schema.get("items", {}))
        return items and HiveType("array", (("element", items),))
    if name == "object":
        members = {name: _hive(member) for name, member in schema.get("properties", {}).items()}
        fields = tuple((name, hive) for name, hive in members.items() if hive and _MEMBER_NAME.fullmatch(name))
        return HiveType("struct", fields) if fields else None
    return HiveType(_PRIMITIVES[name])
