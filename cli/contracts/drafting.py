"""The draft of one contract: schema and columns of sample events that name the same service.

Types are those of the samples, members that every sample has are required, values are not enumerated.
"""

import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any

import orjson

from cli.contracts.sample_types import column_type, infer_schema
from cli.contracts.type_compatibility import admitted_types, is_readable
from cli.contracts.validator_agreement import json_pointer
from sluice.contracts.family import Family, Kind
from sluice.contracts.load import DIALECT, Composer, Schema, load_columns, read_json
from sluice.contracts.model import PARTITION_KEYS, HiveType

Event = dict[str, Any]
Steps = tuple[str, ...]

_WORD_START = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9]+")
_LONGEST_NAME = 100  # the catalog takes 255, and a number may follow
_TIME = {"$ref": "../../shared/types.schema.json#/$defs/utc_time"}
_DATE_TIME = "Time of the event as delivered, ISO 8601, UTC; the partition is derived from it."


@dataclass(slots=True)
class Draft:
    """A contract to be reviewed, drafted from so many samples: contents of its files.

    Attributes:
        new_family: Contents of ``family.json``, where the draft brings its family along.
        clean: How many of the samples are clean by the draft.
        dirty: What makes the others dirty: how many samples break a rule, by place and message.
        rescued: What has no column and is kept in ``_rescued``: how many samples hold it, by place.
        problems: What the check of contracts says of the draft.
    """

    family: str
    table: str
    samples: int
    schema: Schema
    description: dict[str, Any]
    new_family: dict[str, Any] | None = None
    clean: int = 0
    dirty: dict[str, int] = field(default_factory=dict)
    rescued: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def is_usable(self) -> bool:
        """Tell whether the check accepts the draft, and any of its samples is clean by it."""
        return self.clean > 0 and not self.problems

    def write(self, root: Path) -> Path:
        """Write the files under `root` and return their folder.

        Raises:
            FileExistsError: There is a contract of this name; a draft never overwrites one.
        """
        folder = root / self.family / self.table
        folder.mkdir(parents=True)
        for name, content in (("schema.json", self.schema), ("table.json", self.description)):
            _write(folder / name, content)
        if self.new_family and not (described := folder.parent / "family.json").exists():
            _write(described, self.new_family)
        return folder


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


@dataclass(frozen=True, slots=True)
class Group:
    """Samples of one table: events of a family and a kind whose services go by one name, or by spellings of it."""

    family: Family
    kind: Kind
    table: str
    services: tuple[str, ...]
    events: Sequence[Event]

    @property
    def body(self) -> Steps:
        """Path of the object that holds what is the table's own."""
        return self.family.body(self.kind)


def draft(group: Group, root: Path) -> Draft:
    """Draft the contract of samples; it refers to what their family shares under `root`."""
    body = group.body[-1]
    shared_file = root / group.family.name / f"{body}.schema.json"
    shared = Composer(read_json).compose(shared_file) if shared_file.exists() else {}
    own = _own_part(shared, group.events, group.body)
    services, places = group.services, group.family.service[group.kind]
    values = [*services, *([None] if len(places) > 1 else [])]
    named = {"const": values[0]} if len(values) == 1 else {"enum": values}
    _describe(own, places[0].path, named, required=len(places) == 1)
    if not shared:
        _describe_envelope(own, group)
    columns, corrections = _columns(group, own, root / "shared" / f"{body}.columns.json" if shared else None)
    reference = {"$ref": f"../{body}.schema.json"} if shared else {}
    description = {
        "version": 1,
        "doc": f"Events of {', '.join(services)}, drafted from {len(group.events)} samples: say here what a row is.",
        "recognise": {"kind": group.kind, "services": list(services)},
        "corrections": corrections,
        "columns": columns,
    }
    schema = {"$schema": DIALECT, "title": group.table, **reference, **own}
    return Draft(group.family.name, group.table, len(group.events), schema, description)


def _own_part(shared: Schema, objects: Sequence[Event], body: Steps) -> Schema:
    """Return the schema of the members that the family's schema leaves open, on the way to the body and in it."""
    described = shared.get("properties", {})
    properties: dict[str, Schema] = {}
    for name in dict.fromkeys(name for each in objects for name in each):
        values = [each[name] for each in objects if name in each]
        if body and name == body[0]:
            inner = [value for value in values if isinstance(value, dict)]
            properties[name] = _own_part(described.get(name, {}), inner, body[1:])
        elif name not in described:
            properties[name] = infer_schema(values)
        elif not _is_settled(described[name]):  # its type is; a sample of another is dirty
            properties[name] = {key: part for key, part in infer_schema(values).items() if key != "type"}
    required = [name for name in properties if all(name in each for each in objects)]
    return {"type": "object", "required": required, "properties": properties}


def _is_settled(member: Schema) -> bool:
    """Return whether a family's schema describes a member; for an object it must name the members."""
    return "object" not in (admitted_types(member) or ()) or "properties" in member


def _describe_envelope(schema: Schema, group: Group) -> None:
    """Describe what every event has, where the family has no schema that says so."""
    family = group.family
    _describe(schema, ("source",), {"type": "string", "examples": [family.source]})
    _describe(schema, family.time, dict(_TIME))
    found = _member(schema, family.id)
    fits = found is not None and column_type(found) == (HiveType("string"), None)
    _describe(schema, family.id, found if found and fits else {}, required=fits)
    if all(event.get("resources") == [] for event in group.events):  # it is a list of names, as EventBridge has it
        schema["properties"]["resources"]["items"] = {"type": "string"}


def _member(schema: Schema, path: Steps) -> Schema | None:
    for name in path:
        schema = schema.get("properties", {}).get(name)
        if schema is None:
            return None
    return schema


def _describe(schema: Schema, path: Steps, member: Schema, *, required: bool = True) -> None:
    """Put the schema of a member in its place; what it had been is required only if it was so in every sample."""
    *parents, name = path
    for parent in parents:
        schema = schema.setdefault("properties", {}).setdefault(parent, {})
        schema["type"] = "object"
    schema.setdefault("properties", {})[name] = member
    if required:
        schema["required"] = list(dict.fromkeys([*schema.get("required", ()), name]))


def _columns(group: Group, own: Schema, shared: Path | None) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the columns of what is the table's own, between those that all tables of the family have."""
    taken = {*PARTITION_KEYS, "date_time", "id"}
    columns: list[dict[str, Any]] = []
    corrections: list[dict[str, Any]] = []
    time, identifier = group.family.time, group.family.id
    held = {time, identifier}
    if shared and shared.exists():
        taken |= {column.name for column in load_columns(shared)}
        held |= {column.path for column in load_columns(shared)} | {group.family.service[group.kind][0].path}
        columns.append({"$ref": f"../../shared/{shared.name}"})
    else:
        columns.append(_column("id", identifier, "string", "Identifier of the event."))
        if column_type(_member(own, identifier) or {}) != (HiveType("string"), None):
            corrections.append({"rule": "json_text", "member": columns[0]["path"]})
    for path, member in _leaves(own, group.body, ()):
        if path in held or not is_readable(path) or not (found := column_type(member)):
            continue
        column = _column(_name(path, group.body, taken), path, str(found[0]), f"As delivered in {json_pointer(path)}.")
        columns.append(column)
        if found[1]:
            corrections.append({"rule": found[1], "member": column["path"]})
    return [*columns, _column("date_time", time, "string", _DATE_TIME)], corrections


def _column(name: str, path: Steps, type_: str, doc: str) -> dict[str, Any]:
    where = list(path) if any("." in each or not each for each in path) else ".".join(path)
    return {"name": name, "path": where, "type": type_, "doc": doc}


def _leaves(schema: Schema, body: Steps, path: Steps) -> Iterator[tuple[Steps, Schema]]:
    """Yield the members that become columns: those of the body and around it, or of the objects among them."""
    for name, member in schema.get("properties", {}).items():
        where = (*path, name)
        if "properties" in member and len(where) <= len(body) + 1:
            yield from _leaves(member, body, where)
        else:
            yield where, member


def _name(path: Steps, body: Steps, taken: set[str]) -> str:
    """Return a unique name in lower case, and add it to `taken`."""
    inner = path[len(body) :] if path[: len(body)] == body else path
    name = plain_name("_".join(inner)).lower()
    if not name[:1].isalpha() or name in taken:
        name = f"{body[-1].lower()}_{name}".strip("_")
    name = unique(name, taken)
    taken.add(name)
    return name


def plain_name(text: str) -> str:
    """Return a text as a name of letters, digits and underscores; empty where it has none."""
    return _NOT_IN_A_NAME.sub("_", _WORD_START.sub("_", text)).strip("_")[:_LONGEST_NAME]


def unique(name: str, taken: Container[str]) -> str:
    """Return the name, with a number where it is taken."""
    return next(each for each in chain([name], (f"{name}_{number}" for number in count(2))) if each not in taken)
