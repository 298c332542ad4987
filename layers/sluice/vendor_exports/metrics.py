"""Metrics of the functions that order and copy the vendor's exports."""

from sluice.observability.metrics import Metric

EXPORTS_DELIVERED = Metric("ExportsDelivered", "Count", "1 for an export that is whole, else 0.")
FILES_PROMISED = Metric("FilesPromised", "Count", "Files the vendor listed.")
FILES_COPIED = Metric("FilesCopied", "Count", "Files the run copied.")
FILES_MISSING = Metric("FilesMissing", "Count", "Promised files that are not there.", rare=True)
FILES_REFETCHED = Metric("FilesRefetched", "Count", "Files copied by a further address.", rare=True)
TOKENS_REFUSED = Metric("TokensRefused", "Count", "Calls whose credentials the vendor refused.", rare=True)
UNKNOWN_STATUSES = Metric("UnknownStatuses", "Count", "Job statuses that the client does not know.", rare=True)
JOB_SECONDS = Metric("JobSeconds", "Seconds", "From the trigger to the vendor's job being complete.")
COPY_SECONDS = Metric("CopySeconds", "Seconds", "From the list of files to the check that all arrived.")

METRICS = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
