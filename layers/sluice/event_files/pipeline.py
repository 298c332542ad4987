"""The pipeline of event files as the platform sees it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sluice.event_files.metrics import METRICS
from sluice.event_files.run_summary import CONVERSIONS, CONVERT
from sluice.observability import prices
from sluice.observability.pipeline import Pipeline, Volume
from sluice.observability.prices import Price

if TYPE_CHECKING:
    from sluice.observability.run_totals import RunTotals

_MIB = 1024 * 1024
_FILE_GB_SECONDS = 0.030
_FILES_PER_CALL = 20
_BATCH_BYTES = 32 * _MIB
_BATCH_GB_SECONDS = 3.0 * 2
_BATCH_TRANSITIONS = 3

_VOLUMES = (
    Volume(name="files", title="Files", kind=CONVERT, count="files", watched=True),
    Volume(name="clean", title="Clean events", kind=CONVERT, count="events", watched=True),
    Volume(name="dirty", title="Dirty events", kind=CONVERT, count="dirty"),
    Volume(name="dirty_bytes", title="Dirty bytes", kind=CONVERT, count="dirty_bytes"),
    Volume(name="dirty_files", title="Files without a clean event", kind=CONVERT, count="dirty_files"),
    Volume(name="unrelated", title="Unrelated events", kind=CONVERT, count="unrelated"),
    Volume(name="unknown_members", title="Unknown members", kind=CONVERT, count="unknown_members"),
    Volume(name="media_missing", title="Media not found", kind=CONVERT, count="media_missing"),
    Volume(name="bytes", title="Bytes of files", kind=CONVERT, count="bytes", watched=True),
    Volume(name="rows", title="Rows", kind=CONVERT, count="rows", watched=True),
    Volume(name="parquet_bytes", title="Bytes of Parquet", kind=CONVERT, count="parquet_bytes"),
)


def _usage(totals: "RunTotals") -> Mapping[Price, float]:
    """Return what taking in and converting the files of runs used."""
    files = totals.count(CONVERT, "files")
    batches = totals.count(CONVERT, "bytes") / _BATCH_BYTES
    commits, parquet_files = totals.commits.get(CONVERT, 0), totals.count(CONVERT, "parquet_files")
    return {
        prices.QUEUE_REQUEST: 1.2 * files,  # sent one by one, received and deleted by tens
        prices.TABLE_WRITE: 2.0 * files,  # a transaction counts twice
        prices.TABLE_READ: 0.5 * files,
        # A commit reads the end of each file of Parquet, and writes a manifest, a list of these, and the metadata anew.
        prices.OBJECT_GET: files + 2 * batches + parquet_files + 6 * commits,
        # Parquet and a part of the profiling log for each file; chunks are fewer.
        prices.OBJECT_PUT: 2 * parquet_files + 3 * commits,
        prices.CATALOG_REQUEST: 5 * commits,  # one of them by the batch that the files are of
        prices.FUNCTION_CALL: files / _FILES_PER_CALL + batches,
        prices.FUNCTION_TIME: files * _FILE_GB_SECONDS + batches * _BATCH_GB_SECONDS,
        prices.TRANSITION: batches * _BATCH_TRANSITIONS,
        prices.OBJECT_STORAGE: totals.count(CONVERT, "parquet_bytes"),
    }


PIPELINE = Pipeline(
    name="event_files",
    title="Event files",
    run_kinds=(CONVERSIONS,),
    own_metrics=METRICS,
    volumes=_VOLUMES,
    usage=_usage,
    usage_assumes="30 ms of a 1 GB function per file, 3 s of a 2 GB function per 32 MiB converted",
    digest_section="sluice.event_files.convert.digest_dynamodb:read_section",
)
