"""Every metric the functions emit: the one list that code, dashboards, alarms and their tests share.

All are in one namespace with the dimensions ``stage`` and ``pipeline``: each pair of values is a metric of its own that
is paid for by the hour, so file names, runs and tables are members of the log, not dimensions.
"""

from dataclasses import dataclass
from enum import StrEnum

NAMESPACE = "Sluice"


class Pipeline(StrEnum):
    """What a function works for; a dimension of its metrics."""

    EVENT_FILES = "event_files"
    EXPORTS = "exports"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: `unit` in CloudWatch's words. A `rare` one is emitted only when there is something to count."""

    name: str
    unit: str
    pipelines: tuple[Pipeline, ...]
    doc: str
    rare: bool = False


_FILES = (Pipeline.EVENT_FILES,)
_EXPORTS = (Pipeline.EXPORTS,)

FILES_VALIDATED = Metric("FilesValidated", "Count", _FILES, "Source objects recorded in the ledger.")
FILES_SKIPPED = Metric("FilesSkipped", "Count", _FILES, "Announcements of objects that were known already.", rare=True)
FILES_FAILED = Metric("FilesFailed", "Count", _FILES, "Announcements that have to come again.", rare=True)
BYTES_READ = Metric("BytesRead", "Bytes", _FILES, "Bytes of the source objects, as delivered.")
EVENTS_CLEAN = Metric("EventsClean", "Count", _FILES, "Events that go into their tables.")
EVENTS_DIRTY = Metric("EventsDirty", "Count", _FILES, "Events and fragments that stay outside, with their reasons.")
EVENTS_UNRELATED = Metric("EventsUnrelated", "Count", _FILES, "Events of other producers.", rare=True)
UNKNOWN_MEMBERS = Metric("UnknownMembers", "Count", _FILES, "Members no contract knows: drift.", rare=True)
MEDIA_MISSING = Metric("MediaMissing", "Count", _FILES, "Media that events name and the index lacks.", rare=True)

ROWS_CONVERTED = Metric("RowsConverted", "Count", _FILES, "Rows written to Parquet.")
BATCH_SECONDS = Metric("BatchSeconds", "Seconds", _FILES, "Time a group of batches took to become Parquet.")
PARQUET_BYTES = Metric("ParquetBytes", "Bytes", _FILES, "Bytes of the Parquet files written.")
SEARCH_FAILED = Metric("SearchFailed", "Count", _FILES, "Runs whose profiling log the cluster did not take.", rare=True)

PENDING_AGE = Metric("PendingAge", "Seconds", _FILES, "Age of the oldest chunk that waits for conversion; 0: none.")
NEWEST_ROW_AGE = Metric("NewestRowAge", "Seconds", _FILES, "Age of the newest hour that any table has rows of.")

EXPORTS_DELIVERED = Metric("ExportsDelivered", "Count", _EXPORTS, "1 for an export that is whole, else 0.")
FILES_PROMISED = Metric("FilesPromised", "Count", _EXPORTS, "Files the vendor listed.")
FILES_COPIED = Metric("FilesCopied", "Count", _EXPORTS, "Files the run copied.")
FILES_MISSING = Metric("FilesMissing", "Count", _EXPORTS, "Promised files that are not there.", rare=True)
FILES_REFETCHED = Metric("FilesRefetched", "Count", _EXPORTS, "Files copied by a further address.", rare=True)
TOKENS_REFUSED = Metric("TokensRefused", "Count", _EXPORTS, "Calls whose credentials the vendor refused.", rare=True)
UNKNOWN_STATUSES = Metric("UnknownStatuses", "Count", _EXPORTS, "Words for a job's status nobody knows.", rare=True)
JOB_SECONDS = Metric("JobSeconds", "Seconds", _EXPORTS, "From the trigger to the vendor's job being complete.")
COPY_SECONDS = Metric("CopySeconds", "Seconds", _EXPORTS, "From the list of files to the proof that all arrived.")

RETRIES = Metric("Retries", "Count", tuple(Pipeline), "Attempts of a machine's steps that failed.", rare=True)
COLD_STARTS = Metric("ColdStarts", "Count", tuple(Pipeline), "Function environments that were started.")

METRICS: tuple[Metric, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
