"""The row that an event must become, worked out from its text alone: by the standard library, and slowly."""

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from sluice.contracts.model import Contract, HiveType, parse_hive

_LISTS = {"payload_query", "payload_search_terms", "payload_tags"}
_WHOLE_NUMBERS_AS_TEXT = {"payload_media_id", "paragraph"}
_MEDIA = ("payload_media_id", "payload_media_type", "payload_medialib")
_TABLES_WITH_MEDIA = {"MICROTHREE_EVENT", "STE_EVENT", "SIM_EVENT"}

FindMedia = Callable[[str, str], str | None]


def expected_row(contract: Contract, text: str, find_media: FindMedia) -> dict[str, Any]:
    """The contract's columns; numbers are as exact as JSON writes them before they become what the column is."""
    event = json.loads(text, parse_float=Decimal, parse_int=_integer)
    values = {column.name: _at(event, column.path) for column in contract.columns}
    if contract.kind == "EVENT":
        _correct(values)
        if contract.table in _TABLES_WITH_MEDIA:
            _link(values, find_media)
        if values["event_type"] == "ADD_TAG":
            values.update({name: None for name in _MEDIA if name in values})
    return {column.name: _typed(values[column.name], parse_hive(column.type)) for column in contract.columns}


def expected_unknown_members(contract: Contract, text: str) -> dict[str, Any]:
    """Members the contract's schema does not name, by JSON pointer."""
    return dict(_unknown_members([contract.schema], json.loads(text), ""))


class _MinusZero(int):
    """The number ``-0``: zero, whose sign a double keeps."""

    def __float__(self) -> float:
        return -0.0


def _integer(text: str) -> int:
    return _MinusZero() if text == "-0" else int(text)


def _at(event: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        event = event.get(name) if isinstance(event, dict) else None
    return event


def _correct(values: dict[str, Any]) -> None:
    for name in values.keys() & _LISTS:
        if isinstance(values[name], str):
            values[name] = [] if values[name] == "null" else [values[name]]
    for name in values.keys() & _WHOLE_NUMBERS_AS_TEXT:
        if isinstance(values[name], int | Decimal):
            values[name] = str(int(values[name]))
    match = values.get("payload_search_match")
    if isinstance(match, Decimal):
        values["payload_search_match"] = re.sub("e([-+])0", r"e\1", repr(float(match)))
    elif match is not None and not isinstance(match, str):
        values["payload_search_match"] = json.dumps(match)


def _link(values: dict[str, Any], find_media: FindMedia) -> None:
    if values["payload_media_id"] is not None and values["payload_medialib"] is not None:
        uri = find_media(values["payload_medialib"], values["payload_media_id"])
        values["payload_media_id"] = uri or values["payload_media_id"]


def _typed(value: Any, type_: HiveType) -> Any:
    if value is None:
        return None
    if type_.kind == "array":
        assert isinstance(value, list)
        return [_typed(item, type_.element) for item in value]
    if type_.kind == "struct":
        return {name: _typed(value.get(name), member) for name, member in type_.fields}
    if type_.kind == "bigint":
        assert int(value) == value
        return int(value)
    if type_.kind == "double":
        return float(value)
    assert isinstance(value, {"string": str, "boolean": bool}[type_.kind])
    return value


def _unknown_members(schemas: list[Any], value: Any, pointer: str) -> Iterator[tuple[str, Any]]:
    schemas = [part for schema in schemas for part in _parts(schema)]
    if isinstance(value, dict):
        names = {name for schema in schemas for name in schema.get("properties", ())}
        for name, member in value.items():
            place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name in names:
                of_member = [schema["properties"][name] for schema in schemas if name in schema.get("properties", ())]
                yield from _unknown_members(of_member, member, place)
            elif names:
                yield place, member
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _unknown_members(
                [schema["items"] for schema in schemas if "items" in schema], item, f"{pointer}/{index}"
            )


def _parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for key in ("if", "then", "else"):
        if key in schema:
            yield from _parts(schema[key])
    for key in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(key, ()):
            yield from _parts(part)
