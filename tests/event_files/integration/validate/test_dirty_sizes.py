"""Dirty bytes, and files without a clean event: two records among thousands of events may be two whole deliveries."""

import gzip
import zipfile
from io import BytesIO

from cli.event_files.status import dirty_sizes
from sluice.event_files.metrics import BYTES_DIRTY, BYTES_READ, FILES_DIRTY
from sluice.event_files.validate.validation import Limits
from tests.support.moto.stage import MotoStage
from tests.support.sample_events import body, broken, event
from tests.support.snapshots import ledger

CLEAN = body(event("MICROONE_EVENT", 1))
BROKEN = body(broken(2))


def zipped() -> bytes:
    """A delivery in a form that nobody reads."""
    with zipfile.ZipFile(archive := BytesIO(), "w") as written:
        written.writestr("events.json", CLEAN * 50)
    return archive.getvalue()


FILES = {
    "clean": (CLEAN, 0, 0),
    "one event dirty": (CLEAN + BROKEN, len(BROKEN.rstrip()), 0),
    "all dirty": (BROKEN, len(BROKEN.rstrip()), 1),
    "in a coding that is not read": (zipped(), len(zipped()), 1),
    "compressed": (gzip.compress(CLEAN), 0, 0),
    "compressed dirty": (gzip.compress(BROKEN.rstrip()), len(gzip.compress(BROKEN.rstrip())), 1),
    "its gzip damaged": (gzip.compress(CLEAN)[:9], 9, 1),
    "empty": (b"", 0, 0),
    "blank": (b" \n", 0, 0),
    "another producer's": (b'{"source": "elsewhere"}', 0, 0),
    "too large": (b"x" * 100_000, 100_000, 1),
}


def test_what_of_a_file_is_dirty(moto_stage: MotoStage) -> None:
    moto_stage.limits = Limits(chunk_bytes=1 << 20, max_file_bytes=99_999)
    for name, (content, dirty_bytes, dirty_files) in FILES.items():
        source = moto_stage.put(f"x/{name}", content)
        totals = moto_stage.validate(source).totals()
        assert (totals[BYTES_DIRTY], totals[FILES_DIRTY]) == (dirty_bytes, dirty_files), name
        assert totals[BYTES_READ] >= totals[BYTES_DIRTY], name
        assert moto_stage.record(source)["dirty_bytes"] == dirty_bytes, name
    expected = sum(each[1] for each in FILES.values()), sum(each[2] for each in FILES.values())
    found = dirty_sizes(ledger("chunk#"))
    assert (found.dirty_bytes, found.dirty_files) == expected
    summary = moto_stage.convert()
    assert summary is not None
    assert (summary.dirty_bytes, summary.dirty_files) == expected
