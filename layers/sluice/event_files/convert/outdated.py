"""Clean lines of before their contract's columns changed: what a column held that is gone is rescued."""

import json

import orjson

from sluice.contracts.model import TECHNICAL_COLUMNS, Contract
from sluice.event_files.validate.members import OPAQUE, Leftovers, members_read


def rescued_again(lines: bytes, contract: Contract) -> bytes:
    """Return lines with all in `_rescued` that the columns of `contract` do not read, beside what is there already."""
    leftovers = Leftovers(OPAQUE, members_read(contract))
    return b"".join(_rescued_again(line, leftovers) + b"\n" for line in lines.removesuffix(b"\n").split(b"\n"))


def _rescued_again(line: bytes, leftovers: Leftovers) -> bytes:
    event = orjson.loads(line)
    technical = {column.name: event.pop(column.name, None) for column in TECHNICAL_COLUMNS}
    unread = leftovers.of_any(event, memoryview(line))
    rescued = json.loads(technical["_rescued"] or "{}", parse_float=orjson.Fragment, parse_int=orjson.Fragment)
    if unread.keys() <= rescued.keys():
        return line
    technical["_rescued"] = orjson.dumps({**unread, **rescued}).decode()  # what a correction replaced, as delivered
    return orjson.dumps({**event, **technical})
