"""Clean lines of before their contract's columns changed: what a column held that is gone is rescued."""

import json
from collections.abc import Iterator
from typing import Any

import orjson

from sluice.contracts.model import TECHNICAL_COLUMNS, Contract, HiveType, event_type
from sluice.event_files.validate.members import OPAQUE, Leftovers, members_read, pointer, with_signed_zeros


def rescued_again(lines: bytes, contract: Contract) -> bytes:
    """Return lines with all in `_rescued` that the columns of `contract` do not read, beside what is there already."""
    leftovers, type_ = Leftovers(OPAQUE, members_read(contract)), event_type(contract.columns)
    return b"".join(_rescued_again(line, leftovers, type_) + b"\n" for line in lines.removesuffix(b"\n").split(b"\n"))


def _rescued_again(line: bytes, leftovers: Leftovers, type_: HiveType) -> bytes:
    event = with_signed_zeros(memoryview(line)) or orjson.loads(line)
    technical = {column.name: event.pop(column.name, None) for column in TECHNICAL_COLUMNS}
    unread = {**leftovers.of_any(event, memoryview(line)), **dict(_rounded(type_, event, []))}
    rescued = json.loads(technical["_rescued"] or "{}", parse_float=orjson.Fragment, parse_int=orjson.Fragment)
    if unread.keys() <= rescued.keys():
        return line
    technical["_rescued"] = orjson.dumps({**unread, **rescued}).decode()  # what a correction replaced, as delivered
    return orjson.dumps({**event, **technical})


def _rounded(type_: HiveType, value: Any, path: list[str | int]) -> Iterator[tuple[str, int]]:  # noqa: ANN401
    """Yield the whole numbers that a column's double does not hold, by JSON pointer: their column was a bigint."""
    if type_.kind == "double" and type(value) is int and int(float(value)) != value:
        yield pointer(path), value
    elif type_.kind == "array" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _rounded(type_.element, item, [*path, index])
    elif type_.kind == "struct" and isinstance(value, dict):
        for name, member in type_.fields:
            yield from _rounded(member, value.get(name), [*path, name])
