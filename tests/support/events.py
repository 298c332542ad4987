"""Events for the tests: the contracts' own samples, told apart by number and hour."""

import copy
import gzip
from collections.abc import Mapping
from functools import cache
from typing import Any

import orjson

from sluice.contracts.load import TABLES

Event = dict[str, Any]

SEPARATORS = (b"", b"\n", b" \r\n\t")


def event(table: str, number: int, hour: int = 10, **members: Any) -> Event:
    """Return a valid event of `table`; `members` go into its ``prediction`` or ``evaluation``."""
    made = copy.deepcopy(_samples(table)[0])
    made["id"] = f"{table}-{number}"
    made["time"] = f"2024-02-29T{hour:02}:59:59.999Z"
    made["detail"]["id"] = f"{table}-{number}"
    made["detail"]["evaluation" if table.endswith("_EVENT") else "prediction"].update(members)
    return made


def illustration(number: int, hour: int = 10, type_: str = "PUBLISH", **payload: Any) -> Event:
    """Return a MICROTHREE_EVENT whose payload holds the least there must be, and these members."""
    least: Event = {"text": "A sentence.", "query": [], "medialib": None}
    return event("MICROTHREE_EVENT", number, hour, type=type_, payload={**least, **payload})


def broken(number: int) -> Event:
    """Return an event of MICROONE_EVENT that breaks a rule in one place."""
    return event("MICROONE_EVENT", number, reporter="nobody")


def unserved(number: int) -> Event:
    """Return an event of a known family whose service has no contract."""
    return event("MICROONE_EVENT", number, service="imageTagging")


def foreign(number: int) -> Event:
    """Return another producer's event."""
    return {"source": "aws.s3", "id": f"foreign-{number}", "detail": {"id": "x"}}


def dump(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value)


def body(*parts: Mapping[str, Any] | bytes) -> bytes:
    """Write events one after the other, as a delivery stream does; bytes are written as they are."""
    written = [part if isinstance(part, bytes) else dump(part) for part in parts]
    gaps = [SEPARATORS[number % len(SEPARATORS)] for number in range(len(written))]
    return b"".join(text + gap for text, gap in zip(written, gaps, strict=True))


def zipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


@cache
def _samples(table: str) -> list[Event]:
    (path,) = TABLES.glob(f"*/{table}/clean.json")
    samples: list[Event] = orjson.loads(path.read_bytes())
    return samples
