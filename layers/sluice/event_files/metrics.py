"""Metrics of the functions that take in, convert and profile event files."""

from sluice.observability.metrics import Metric

FILES_VALIDATED = Metric("FilesValidated", "Count", "Source objects recorded in the ledger.")
FILES_SKIPPED = Metric("FilesSkipped", "Count", "Announcements of objects that were known already.", rare=True)
FILES_FAILED = Metric("FilesFailed", "Count", "Announcements that have to come again.", rare=True)
BYTES_READ = Metric("BytesRead", "Bytes", "Bytes of the source objects, as delivered.")
EVENTS_CLEAN = Metric("EventsClean", "Count", "Events that go into their tables.")
EVENTS_DIRTY = Metric("EventsDirty", "Count", "Events and fragments that stay outside, with their reasons.")
BYTES_DIRTY = Metric("BytesDirty", "Bytes", "Bytes of these, as delivered, whose content is dirty.", rare=True)
FILES_DIRTY = Metric("FilesDirty", "Count", "Files with dirty records and no clean event.", rare=True)
EVENTS_UNRELATED = Metric("EventsUnrelated", "Count", "Events of other producers.", rare=True)
UNKNOWN_MEMBERS = Metric("UnknownMembers", "Count", "Members that no contract has.", rare=True)
MEDIA_MISSING = Metric("MediaMissing", "Count", "Media that events name and the index lacks.", rare=True)

ROWS_CONVERTED = Metric("RowsConverted", "Count", "Rows written to Parquet.")
CHUNKS_LEFT_OUT = Metric("ChunksLeftOut", "Count", "Chunks that a run could not convert: they wait.", rare=True)
BATCH_SECONDS = Metric("BatchSeconds", "Seconds", "Time a group of batches took to become Parquet.")

PENDING_AGE = Metric("PendingAge", "Seconds", "Age of the oldest chunk that waits for conversion; 0: none.")
NEWEST_ROW_AGE = Metric("NewestRowAge", "Seconds", "Age of the newest hour that any table has rows of.")

METRICS = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
