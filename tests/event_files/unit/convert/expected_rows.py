"""The row that an event must become, worked out from its text alone: by the standard library, and slowly."""

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from sluice.contracts.model import Contract, HiveType, parse_hive

_LISTS = {"payload_query", "payload_search_terms", "payload_tags"}
_WHOLE_NUMBERS_AS_TEXT = {"payload_media_id", "paragraph"}
_MEDIA = ("payload_media_id", "payload_media_type", "payload_medialib")
_TABLES_WITH_MEDIA = {"MICROTHREE_EVENT", "STE_EVENT", "SIM_EVENT"}

_Path = tuple[str | int, ...]
FindMedia = Callable[[str, str], str | None]


def expected_row(contract: Contract, text: str, find_media: FindMedia) -> dict[str, Any]:
    """The contract's columns; numbers are as exact as JSON writes them before they become what the column is."""
    event = json.loads(text, parse_float=Decimal, parse_int=_integer)
    values = {column.name: _at(event, column.path) for column in contract.columns}
    if "payload_search_match" in values:
        (path,) = (column.path for column in contract.columns if column.name == "payload_search_match")
        values["payload_search_match"] = _json_text(_at(numbers_as_written(text), path))
    if contract.kind == "EVENT":
        _correct(values)
        if contract.table in _TABLES_WITH_MEDIA:
            _link(values, find_media)
        if values["event_type"] == "ADD_TAG":
            values.update({name: None for name in _MEDIA if name in values})
    return {column.name: _typed(values[column.name], parse_hive(column.type)) for column in contract.columns}


def expected_rescued(contract: Contract, text: str, find_media: FindMedia) -> dict[str, Any]:
    """What no column holds, by JSON pointer, with `numbers_as_written`."""
    event = numbers_as_written(text)
    columns: dict[_Path, HiveType] = {column.path: parse_hive(column.type) for column in contract.columns}
    return {
        "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path): value
        for path, value in (*_beside(columns, event, ()), *_replaced(contract, event, find_media))
    }


def numbers_as_written(text: str) -> Any:
    """Parse a JSON text; each number is a pair with its digits, so that 1.0 is told from 1 and 1.00."""
    return json.loads(text, parse_float=_number, parse_int=_number)


def _number(digits: str) -> tuple[str, str]:
    return "number", digits


def _beside(columns: dict[_Path, HiveType], value: Any, path: _Path) -> Iterator[tuple[_Path, Any]]:
    """Yield what is beside the columns."""
    if path in columns:
        yield from _beside_members(columns[path], value, path)
    elif all(column[: len(path)] != path for column in columns) or value in ({}, None):
        yield path, value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _beside(columns, member, (*path, name))


def _beside_members(type_: HiveType, value: Any, path: _Path) -> Iterator[tuple[_Path, Any]]:
    """Yield what is beside the members that a column's type names."""
    members = dict(type_.fields)
    if type_.kind == "struct" and isinstance(value, dict):
        for name, member in value.items():
            if name in members:
                yield from _beside_members(members[name], member, (*path, name))
            else:
                yield (*path, name), member
    elif type_.kind == "array" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _beside_members(type_.element, item, (*path, index))


def _replaced(contract: Contract, event: Any, find_media: FindMedia) -> Iterator[tuple[_Path, Any]]:
    """Yield what a correction puts another value for."""
    values = {column.name: (column.path, _at(event, column.path)) for column in contract.columns}
    yield from (values[name] for name in values.keys() & _LISTS if values[name][1] == "null")
    media = {name: values[name] for name in _MEDIA if name in values and values[name][1] is not None}
    if values.get("event_type", ((), None))[1] == "ADD_TAG":
        yield from media.values()
    elif contract.table in _TABLES_WITH_MEDIA and {"payload_media_id", "payload_medialib"} <= media.keys():
        media_id = media["payload_media_id"][1]
        id_ = media_id if isinstance(media_id, str) else str(int(Decimal(media_id[1])))
        if find_media(media["payload_medialib"][1], id_):
            yield media["payload_media_id"]


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


def _json_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool) else str(value[1])


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
