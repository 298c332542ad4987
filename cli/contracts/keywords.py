"""Words of contract files that nobody heeds: misspelt ones, those of other drafts, formats that are not checked."""

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from cli.contracts.type_compatibility import admitted_types
from cli.contracts.validator_agreement import json_pointer
from sluice.contracts.formats import FORMATS
from sluice.contracts.load import LISTS, MAPS, SINGLES, Schema, beside, read_json

_OF_TYPES = {
    ("string",): {"minLength", "maxLength", "pattern", "format"},
    ("integer", "number"): {"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    ("array",): {"items", "prefixItems", "contains", "minContains", "maxContains", "minItems", "maxItems"}
    | {"uniqueItems", "unevaluatedItems"},
    ("object",): {"properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames"}
    | {"required", "minProperties", "maxProperties", "dependentRequired", "dependentSchemas"},
}
"""Keywords that say something of values of some types only."""
_OF_ALL = {"type", "enum", "const", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"}
_NOTES = {"$schema", "title", "description", "$comment", "examples", "default"}
_KEYWORDS = frozenset().union(_OF_ALL, _NOTES, *_OF_TYPES.values())
_LEAN_ON = {"then": ("if",), "else": ("if",), "minContains": ("contains",), "maxContains": ("contains",)} | {
    "if": ("then", "else")
}
"""Keywords that mean nothing without one of others beside them."""
_INSTEAD = {
    "definitions": "$defs",
    "dependencies": "dependentRequired or dependentSchemas",
    "additionalItems": "prefixItems and items",
    "divisibleBy": "multipleOf",
    "disallow": "not",
    "extends": "allOf",
    "example": "examples",
    "nullable": 'a type with "null"',
    **dict.fromkeys(("$dynamicRef", "$recursiveRef", "$anchor", "$id", "id"), "$ref with a file and a JSON pointer"),
}
"""What takes the place of keywords of other drafts, or of JSON Schema's relatives."""


def check_keywords(schema: Schema) -> Iterator[str]:
    """Yield what is wrong with the keywords of a composed schema."""
    for where, part, types in _parts(schema, (), None):
        place = json_pointer(where) or "the schema"
        for keyword in sorted(part.keys() - _KEYWORDS):
            yield f"{place} uses {keyword}, which nobody enforces{_instead(keyword, _KEYWORDS)}"
        if "format" in part and part["format"] not in FORMATS:
            known = ", ".join(FORMATS)
            yield f"{place} has the format {part['format']}, which is not checked: give it a pattern, or one of {known}"
        for of_types, keywords in _OF_TYPES.items():
            if types is not None and types.isdisjoint(of_types):
                for keyword in sorted(part.keys() & keywords):
                    yield f"{place} uses {keyword}, which says nothing of {' or '.join(sorted(types)) or 'no type'}"
        for keyword in sorted(part.keys() & _LEAN_ON.keys()):
            if part.keys().isdisjoint(_LEAN_ON[keyword]):
                yield f"{place} uses {keyword}, which means nothing without {' or '.join(_LEAN_ON[keyword])}"


def _parts(schema: Any, where: tuple[str, ...], outer: frozenset[str] | None) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Yield every subschema with its path and the types of its values, as far as they are stated."""
    if not isinstance(schema, dict):
        return
    types = admitted_types(schema)
    types = outer if types is None else types
    yield where, schema, types
    for key, value in schema.items():
        if key in MAPS:
            for name, part in value.items():
                yield from _parts(part, (*where, key, name), types if key == "dependentSchemas" else None)
        elif key in LISTS or key == "allOf":
            for index, part in enumerate(value):
                yield from _parts(part, (*where, key, str(index)), None if key == "prefixItems" else types)
        elif key in SINGLES:
            yield from _parts(value, (*where, key), types if key in {"if", "then", "else", "not"} else None)


def _instead(word: str, known: Collection[str]) -> str:
    if word in _INSTEAD:
        return f": use {_INSTEAD[word]}"
    close = get_close_matches(word, known, 1)
    return f": did you mean {close[0]}?" if close else ": remove it"


_FAMILY = {"source", "kinds", "service", "version", "time", "id", "doc"}
_PLACE = {"of", "after_last"}
_TABLE = {"version", "doc", "recognise", "corrections", "columns"}
_RECOGNISE = {"kind", "services"}
_COLUMN = {"name", "path", "type", "doc"}
_CORRECTION = {"rule", "member"}


def check_family_members(folder: Path) -> Iterator[str]:
    """Yield the members of a family's file that nobody reads."""
    family = read_json(folder / "family.json")
    yield from _strangers(family, _FAMILY, "family.json")
    for member in ("service", "version"):
        yield from _strangers(family.get(member, {}), set(family["kinds"].values()), f"family.json, {member}")
    for place in (place for places in family["service"].values() for place in places if isinstance(place, dict)):
        yield from _strangers(place, _PLACE, "family.json, service")


def check_table_members(folder: Path) -> Iterator[str]:
    """Yield the members of a table's file, and of the lists it refers to, that nobody reads."""
    path = folder / "table.json"
    table = read_json(path)
    yield from _strangers(table, _TABLE, path.name)
    yield from _strangers(table["recognise"], _RECOGNISE, f"{path.name}, recognise")
    yield from _strange_items(table["columns"], _COLUMN, path)
    yield from _strange_items(table.get("corrections", []), _CORRECTION, path)


def _strange_items(items: list[dict[str, Any]], known: set[str], path: Path) -> Iterator[str]:
    for index, item in enumerate(items):
        yield from _strangers(item, {"$ref"} if "$ref" in item else known, f"{path.name}, item {index}")
        if "$ref" in item:
            shared = beside(path, item["$ref"])
            yield from _strange_items(read_json(shared), known, shared)


def _strangers(found: Mapping[str, Any], known: set[str], where: str) -> Iterator[str]:
    for name in sorted(found.keys() - known):
        yield f"{where} has a member {name}, which nobody reads{_instead(name, known)}"
