"""Draft the contract of a service from sample events.

Types and columns are those of the samples, members that every sample has are required, values are not enumerated.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from cli.contracts.type_compatibility import EXACT, INT64, admitted_types, member_schema
from sluice.contracts.load import DIALECT, TABLES, Composer, Schema, json_type, load_columns, load_registry, read_json
from sluice.contracts.model import BODY, PARTITION_KEYS, HiveType, Kind
from sluice.event_files.validate.event_processor import Recogniser

Event = dict[str, Any]

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9]+")


@dataclass(frozen=True, slots=True)
class Draft:
    """A contract to be reviewed, drafted from so many samples: contents of ``schema.json`` and ``table.json``."""

    family: str
    table: str
    samples: int
    schema: Schema
    description: dict[str, Any]

    def write(self, root: Path) -> Path:
        """Write both files under `root` and return their folder.

        Raises:
            FileExistsError: There is a contract of this name; a draft never overwrites one.
        """
        folder = root / self.family / self.table
        folder.mkdir(parents=True)
        for name, content in (("schema.json", self.schema), ("table.json", self.description)):
            (folder / name).write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return folder


def infer_contracts(events: Iterable[Event], root: Path = TABLES) -> list[Draft]:
    """Draft one contract per family, kind and service of `events`.

    Events of no known family, or without an identifier of their kind and service, are passed over. Drafts refer to
    what their family shares under `root`.

    Raises:
        ContractError: The contracts under `root` cannot be loaded.
    """
    recogniser = Recogniser(load_registry(root))
    groups: dict[tuple[str, Kind, str], list[Event]] = {}
    for event in events:
        known = recogniser.recognise(event)
        if known.family and known.kind and known.service:
            groups.setdefault((known.family, known.kind, known.service), []).append(event)
    return [_draft(*group, samples, root) for group, samples in groups.items()]


def _draft(family: str, kind: Kind, service: str, events: Sequence[Event], root: Path) -> Draft:
    body = BODY[kind]
    shared = Composer(read_json).compose(root / family / f"{body}.schema.json")
    own = _own_part(member_schema(shared, ("detail", body)), [event["detail"][body] for event in events])
    rule = {"enum": [service, None]} if kind == "EVENT" else {"const": service}
    schema = {**own, "properties": {"service": rule, **own["properties"]}}
    table = f"{_NOT_IN_A_NAME.sub('_', service).upper()}_{kind}"
    document = {
        "$schema": DIALECT,
        "title": table,
        "$ref": f"../{body}.schema.json",
        "properties": {"detail": {"properties": {body: schema}}},
    }
    return Draft(family, table, len(events), document, _table_document(kind, service, own, len(events), root))


def _own_part(shared: Schema, bodies: Sequence[Event]) -> Schema:
    """Return the schema of the members that the family's schema leaves open."""
    properties = shared.get("properties", {})
    settled = {name for name, member in properties.items() if _is_settled(member)}
    bodies = [{name: value for name, value in body.items() if name not in settled} for body in bodies]
    shape = infer_schema(bodies)
    return {"required": shape.get("required", []), "properties": shape.get("properties", {})}


def _is_settled(member: Schema) -> bool:
    """Return whether a family's schema describes a member; for an object it must name the members."""
    return "object" not in (admitted_types(member) or ()) or "properties" in member


def _table_document(kind: Kind, service: str, own: Schema, samples: int, root: Path) -> dict[str, Any]:
    body = BODY[kind]
    shared = root / "shared" / f"{body}.columns.json"
    taken = {*PARTITION_KEYS, "date_time", *(column.name for column in load_columns(shared))}
    corrections: list[dict[str, str | list[str]]] = []
    columns: list[dict[str, Any]] = [{"$ref": f"../../shared/{body}.columns.json"}]
    for path, member in _leaves(own):
        if not (found := column_type(member)):
            continue
        name = _column_name(path, body, taken)
        whole = ["detail", body, *path]
        where = whole if any("." in each for each in whole) else ".".join(whole)
        columns.append(
            {"name": name, "path": where, "type": str(found[0]), "doc": f"As delivered in {'.'.join(path)}."}
        )
        if found[1]:
            corrections.append({"rule": found[1], "member": where})
    return {
        "version": 1,
        "doc": f"Events of {service}, drafted from {samples} samples: say here what a row is.",
        "recognise": {"kind": kind, "services": [service]},
        "corrections": corrections,
        "columns": [*columns, {"$ref": "../../shared/date_time.columns.json"}],
    }


def _leaves(own: Schema) -> Iterator[tuple[tuple[str, ...], Schema]]:
    """Yield the members that become columns: those of the body, or of its objects."""
    for name, member in own["properties"].items():
        if "properties" in member:
            yield from (((name, inner), schema) for inner, schema in member["properties"].items())
        else:
            yield (name,), member


def _column_name(path: Sequence[str], body: str, taken: set[str]) -> str:
    """Return a unique name in lower case, and add it to `taken`."""
    spaced = _WORD_START.sub("_", "_".join(path))
    name = _NOT_IN_A_NAME.sub("_", spaced).strip("_").lower()
    if not name[:1].isalpha() or name in taken:
        name = f"{body}_{name}"
    number = 1
    while (unique := name if number == 1 else f"{name}_{number}") in taken:
        number += 1
    taken.add(unique)
    return unique


_MEMBER_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_PRIMITIVES = {"string": "string", "integer": "bigint", "number": "double", "boolean": "boolean"}
_SCALARS = frozenset(_PRIMITIVES)


def infer_schema(values: Sequence[Any]) -> Schema:
    """Return the narrowest schema, without enumerations, that admits all `values`; empty where none fits a column.

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
        items := infer_schema([item for value in values if isinstance(value, list) for item in value])
    ):
        schema["items"] = items
    if "object" in known:
        schema |= _members([value for value in values if isinstance(value, dict)])
    return schema


def _limit(types: set[str]) -> int | None:
    """Return the bound of numbers: that of a bigint, or of the integers that a double holds exactly."""
    if types <= {"string", "integer"}:
        return INT64 if "integer" in types else None
    return EXACT if types & {"integer", "number"} else None


def _members(objects: Sequence[dict[str, Any]]) -> Schema:
    names = list(dict.fromkeys(name for each in objects for name in each))
    properties = {name: infer_schema([each[name] for each in objects if name in each]) for name in names}
    required = [name for name in names if all(name in each for each in objects)]
    return {"required": required, "properties": properties} if required else {"properties": properties}


def column_type(schema: Schema) -> tuple[HiveType, str | None] | None:
    """Return the column type for the values a schema admits, with the correction they need; None when none fits."""
    known = (admitted_types(schema) or frozenset()) - {"null"}
    if hive := _hive(schema):
        return hive, None
    if known == {"string", "array"} and (items := _hive(schema.get("items", {}))) == HiveType("string"):
        return HiveType("array", (("element", items),)), "list_of_string"
    if known == {"string", "integer"}:
        return HiveType("string"), "integer_to_string"
    return (HiveType("string"), "json_text") if known and known <= _SCALARS else None


def _hive(schema: Schema) -> HiveType | None:
    """Return the type that fits without a correction; a struct leaves out the members that fit none."""
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
