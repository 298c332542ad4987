"""Files that together take every way through validation, put into a folder of their own."""

from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.validation import Limits
from tests.support.events import body, broken, event, foreign, illustration, unserved, zipped
from tests.support.world import World

SMALL_CHUNKS = Limits(chunk_bytes=2500, max_file_bytes=20_000)

ROWS = {"MICROONE_EVENT": 7, "MICROTWO_PRED": 2, "MICROTHREE_EVENT": 3}
"""Rows of one such folder, by table; none of the file that is deleted."""

DIRTY_REASONS = {"RULE_BROKEN": 1, "NO_CONTRACT": 1, "FRAGMENT": 2, "FILE_TOO_LARGE": 1}


def upload(world: World, folder: str) -> list[SourceObject]:
    """Put the files into a folder; the last one is deleted before anybody reads it."""
    sources = [world.put(f"{folder}/{name}", content) for name, content in _contents().items()]
    world.s3.delete_object(Bucket=sources[-1].bucket, Key=sources[-1].key)
    return sources


def _contents() -> dict[str, bytes]:
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
