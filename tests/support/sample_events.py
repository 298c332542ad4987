"""Events and event files for tests, made of the contracts' own samples."""

import copy
import gzip
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import orjson

from sluice.contracts.load import TABLES
from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.validation import Limits
from tests.support.moto.stage import MotoStage

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


def dated(made: Event, identifier: str, at: datetime) -> bytes:
    """Return the text of an event with another id and time."""
    made |= {"id": identifier, "time": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    made["detail"]["id"] = identifier
    return dump(made)


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


SMALL_CHUNKS = Limits(chunk_bytes=2500, max_file_bytes=20_000)

MIXED_ROWS = {"MICROONE_EVENT": 7, "MICROTWO_PRED": 2, "MICROTHREE_EVENT": 3}
"""Rows of a folder of mixed files by table; the deleted file has none."""

MIXED_DIRTY_REASONS = {"RULE_BROKEN": 1, "NO_CONTRACT": 1, "FRAGMENT": 2, "FILE_TOO_LARGE": 1}


def upload_mixed_files(moto_stage: MotoStage, folder: str) -> list[SourceObject]:
    """Upload files that take every way through validation; the last one is deleted again."""
    sources = [moto_stage.put(f"{folder}/{name}", content) for name, content in _mixed_files().items()]
    moto_stage.s3.delete_object(Bucket=sources[-1].bucket, Key=sources[-1].key)
    return sources


def _mixed_files() -> dict[str, bytes]:
    microone = [event("MICROONE_EVENT", number, hour=9 + number % 3) for number in range(8)]
    return {
        "clean": body(microone[0], illustration(1, media_id=1, medialib="MYLIB"), event("MICROTWO_PRED", 1)),
        "spilling": body(*microone[1:6], b"no event", foreign(1), illustration(2, hour=23)),
        "dirty": body(broken(1), b'{"cut":', unserved(2), foreign(2)),
        "gzip": zipped(body(microone[6], event("MICROTWO_PRED", 2), illustration(3, media_id="x", medialib="MYLIB"))),
        "empty": b"",
        "huge": b" " * 20_001,
        "deleted": body(microone[7]),
    }
