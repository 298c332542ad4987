"""Contracts, read from their folders: ``<root>/<family>/<TABLE>/{schema,table}.json``.

A contract's schema is composed into one JSON Schema: references to other files are resolved and merged into plain
members, because a validator is faster on one flat schema, and its error pointers stay the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from sluice.contracts.family import KINDS, Family, Place
from sluice.contracts.formats import FORMATS
from sluice.contracts.model import Column, Contract, ContractError, Correction, Registry

TABLES = Path(__file__).resolve().parent / "tables"
"""Folder of the packaged contracts."""

Read = Callable[[Path], Any]


def load_registry(root: Path = TABLES) -> Registry:
    """Read every family and contract under `root`.

    Raises:
        ContractError: A file is missing, is not JSON, lacks a member, or two contracts claim the same events.
    """
    read = cache(read_json)
    composer = Composer(read)
    folders = sorted(path.parent for path in root.resolve().glob("*/family.json"))
    families = tuple(load_family(folder) for folder in folders)
    contracts = tuple(
        _contract(path, family, read, composer)
        for folder, family in zip(folders, families, strict=True)
        for path in contract_folders(folder)
    )
    return Registry(families, contracts)


def read_json(path: Path) -> Any:  # noqa: ANN401
    """Return the parsed JSON of a file; raise ContractError when there is none."""
    try:
        return orjson.loads(path.read_bytes())
    except FileNotFoundError:
        raise ContractError(f"{path}: there is no such file") from None
    except orjson.JSONDecodeError as error:
        raise ContractError(f"{path}: this is not JSON: {error}") from None


def contract_folders(family: Path) -> list[Path]:
    """Return the folders of a family that hold a contract, by name."""
    return sorted(path.parent for path in family.glob("*/table.json"))


def load_contract(folder: Path) -> Contract:
    """Read one contract; the folder names the table, its parent the family. Raise ContractError as `load_registry`."""
    read = cache(read_json)
    folder = folder.resolve()
    return _contract(folder, load_family(folder.parent), read, Composer(read))


def load_columns(path: Path) -> tuple[Column, ...]:
    """Read a shared list of columns, those it refers to included. Raise ContractError as `load_registry`."""
    return tuple(_column(each) for each in _items(read_json(path), path, read_json))


def _contract(folder: Path, family: Family, read: Read, composer: Composer) -> Contract:
    path = folder / "table.json"
    table = read(path)
    try:
        return Contract(
            table=folder.name,
            family=family,
            kind=table["recognise"]["kind"],
            services=tuple(table["recognise"]["services"]),
            version=table["version"],
            doc=table["doc"],
            schema=composer.compose(folder / "schema.json"),
            columns=tuple(_column(each) for each in _items(table["columns"], path, read)),
            corrections=tuple(
                Correction(each["rule"], split_path(each["member"]))
                for each in _items(table.get("corrections", []), path, read)
            ),
        )
    except (KeyError, TypeError) as error:
        raise ContractError(f"{path}: a member is missing or of the wrong kind: {error}") from error


def load_family(folder: Path) -> Family:
    """Read one family; the folder names it. Raise ContractError as `load_registry`."""
    path = folder / "family.json"
    family = read_json(path)
    try:
        kinds = dict(family["kinds"])
        for kind in kinds.values():
            if kind not in KINDS:
                raise ContractError(f"{path}: there is no kind {kind!r}; there are {' and '.join(KINDS)}")
        return Family(
            folder.name,
            family["source"],
            kinds,
            {kind: _places(family["service"][kind], path) for kind in KINDS if kind in kinds.values()},
            _path(family["time"], path),
            _path(family["id"], path),
            family["doc"],
            {kind: _path(family["version"][kind], path) for kind in KINDS if kind in family.get("version", {})},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ContractError(f"{path}: a member is missing or of the wrong kind: {error}") from error


def _places(places: list[str | dict[str, str]], file: Path) -> tuple[Place, ...]:
    if not isinstance(places, list) or not places:
        raise ContractError(f"{file}: service lists JSON pointers for each kind: where events name theirs")
    return tuple(
        Place(_path(place["of"], file), place["after_last"]) if isinstance(place, dict) else Place(_path(place, file))
        for place in places
    )


def _path(pointer: str, file: Path) -> tuple[str, ...]:
    if not pointer.startswith("/"):
        raise ContractError(f"{file}: {pointer!r} is no JSON pointer to a member: it begins with /")
    return steps_of(pointer)


def steps_of(pointer: str) -> tuple[str, ...]:
    """Return the members that a JSON pointer (RFC 6901) leads through."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def _items(items: list[dict[str, Any]], path: Path, read: Read) -> Iterator[dict[str, Any]]:
    """Yield the items of a list, with those of the lists it refers to in their place."""
    for item in items:
        if "$ref" in item:
            shared = beside(path, item["$ref"])
            yield from _items(read(shared), shared, read)
        else:
            yield item


def _column(column: dict[str, Any]) -> Column:
    return Column(column["name"], split_path(column["path"]), column["type"], column["doc"])


def split_path(path: str | list[str]) -> tuple[str, ...]:
    """Return the members of a path; one whose members hold dots is written as a list."""
    return tuple(path.split(".")) if isinstance(path, str) else tuple(path)


DIALECT = "https://json-schema.org/draft/2020-12/schema"

MAPS = frozenset({"properties", "patternProperties", "dependentSchemas"})
LISTS = frozenset({"anyOf", "oneOf", "prefixItems"})
SINGLES = frozenset({"items", "contains", "additionalProperties", "propertyNames", "if", "then", "else", "not"})
_NOTES = frozenset({"title", "description", "$comment", "examples", "default"})
_DROPPED = frozenset({"$ref", "allOf", "$defs", "$schema"})
_NEIGHBOURLY = frozenset(
    {
        "additionalProperties",
        "patternProperties",
        "unevaluatedProperties",
        "unevaluatedItems",
        "prefixItems",
        "contains",
    }
)
"""Keywords whose meaning depends on their neighbours: a part that uses one is kept apart, not merged."""

Schema = dict[str, Any]

_PYTHON_TYPES: dict[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    list: "array",
    dict: "object",
    type(None): "null",
}


def json_type(value: object) -> str:
    """Return JSON Schema's name of a value's type; a whole float is a ``number``."""
    return _PYTHON_TYPES[type(value)]


def beside(path: Path, reference: str) -> Path:
    """Return the path of the file that `reference` names, relative to the file at `path`."""
    return Path(os.path.normpath(path.parent / reference))


class Composer:
    """Composes schemas of files whose parsed JSON `read` gives.

    What several of them refer to is read and composed once, so treat the results as read-only.
    """

    def __init__(self, read: Callable[[Path], Any]) -> None:
        self._read = read
        self._composed: dict[tuple[Path, str], Any] = {}
        self._open: set[tuple[Path, str]] = set()

    def compose(self, path: Path) -> Schema:
        """Return the schema in `path` with every reference resolved, relative to the file it is in.

        A format is a pattern, too.

        Raises:
            ContractError: A reference leads nowhere or in a circle, a file holds no object or is of another dialect.
        """
        composed = self._target(path, "")
        if not isinstance(composed, dict):
            raise ContractError(f"{path}: a contract's schema must be a JSON object")
        return {"$schema": DIALECT, **composed}

    def _target(self, path: Path, pointer: str) -> Any:  # noqa: ANN401  # true and false are schemas too
        key = (path, pointer)
        if key in self._open:
            raise ContractError(f"{path}#{pointer}: the reference leads back to itself; spell the repeated part out")
        if key not in self._composed:
            self._open.add(key)
            self._composed[key] = self._schema(self._find(path, pointer), path)
            self._open.remove(key)
        return self._composed[key]

    def _find(self, path: Path, pointer: str) -> Any:  # noqa: ANN401
        node = self._read(path)
        for member in pointer.split("/")[1:]:
            if not isinstance(node, dict) or member not in node:
                raise ContractError(f"{path}#{pointer}: there is no such definition")
            node = node[member]
        return node

    def _schema(self, node: Any, path: Path) -> Any:  # noqa: ANN401
        if not isinstance(node, dict):
            return node
        if node.get("$schema", DIALECT) != DIALECT:
            raise ContractError(f"{path}: $schema is {node['$schema']}; schemas are written in {DIALECT}")
        own = {key: self._keyword(key, value, path) for key, value in node.items() if key not in _DROPPED}
        parts = [self._schema(part, path) for part in node.get("allOf", ())]
        if "$ref" in node:
            file, _, pointer = node["$ref"].partition("#")
            parts.insert(0, self._target(beside(path, file) if file else path, pointer))
        if own.get("format") in FORMATS:
            return merge_all([*parts, own, {"pattern": FORMATS[own["format"]]}])
        return merge_all([*parts, own])

    def _keyword(self, key: str, value: Any, path: Path) -> Any:  # noqa: ANN401
        if key in MAPS:
            return {name: self._schema(each, path) for name, each in value.items()}
        if key in LISTS:
            return [self._schema(each, path) for each in value]
        return self._schema(value, path) if key in SINGLES else value


def merge_all(parts: list[Any]) -> Any:  # noqa: ANN401
    """Merge schemas that all must hold into one; those that cannot be merged stay under ``allOf``."""
    merged: Schema = {}
    apart: list[Any] = []
    for part in parts:
        combined = _merge(merged, part)
        if combined is None:
            apart.append(part)
        else:
            merged = combined
    settled = _settle(merged)
    return {**settled, "allOf": [*settled.get("allOf", ()), *apart]} if apart else settled


def _settle(schema: Schema) -> Schema:
    """Drop the ``type`` of a schema that lists its values, so that one fault has one reason."""
    types = schema.get("type", ())
    allowed = {types} if isinstance(types, str) else set(types)
    if not allowed or not {"const", "enum"} & schema.keys() or {"number", "integer"} & allowed:
        return schema
    settled = {key: value for key, value in schema.items() if key != "type"}
    if "enum" in schema:
        settled["enum"] = [value for value in schema["enum"] if json_type(value) in allowed]
    elif json_type(schema["const"]) not in allowed:
        return schema
    return settled


def _merge(first: Schema, second: Any) -> Schema | None:  # noqa: ANN401
    """Merge two schemas; return None if they differ under the same keyword."""
    if not first or second == {}:
        return first or (dict(second) if isinstance(second, dict) else None)
    if not isinstance(second, dict) or _NEIGHBOURLY & (first.keys() | second.keys()):
        return None
    merged = dict(first)
    for key, value in second.items():
        combined = _merge_keyword(key, merged[key], value) if key in merged else value
        if combined is None:
            return None
        merged[key] = combined
    return merged


def _merge_keyword(key: str, first: Any, second: Any) -> Any:  # noqa: ANN401
    if first == second or key in _NOTES:
        return second
    if key == "properties":
        return _merge_properties(first, second)
    if key == "required":
        return [*first, *(name for name in second if name not in first)]
    if key == "items":
        return _merge(first, second)
    return None


def _merge_properties(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(first)
    for name, schema in second.items():
        merged[name] = merge_all([merged[name], schema]) if name in merged else schema
    return merged
