"""Metrics of the functions that pull the application's API."""

from sluice.observability.metrics import Metric

ENDPOINTS_COMPLETE = Metric("EndpointsComplete", "Count", "Endpoints of a pull that are in lake and mart.")
ENDPOINTS_HELD = Metric("EndpointsHeld", "Count", "Endpoints kept in the lake and not loaded.", rare=True)
ENDPOINTS_FAILED = Metric("EndpointsFailed", "Count", "Endpoints that could not be pulled.", rare=True)
ROWS_PULLED = Metric("RowsPulled", "Count", "Rows that the endpoints delivered.")
ROWS_DIRTY = Metric("RowsDirty", "Count", "Rows, or items of them, that are dirty, by reason.", rare=True)
NULL_VALUES = Metric("NullValues", "Count", "Nulls in the rows.", rare=True)
UNKNOWN_MEMBERS = Metric("UnknownApiMembers", "Count", "Members that the contracts do not know.", rare=True)
SCHEMA_CHANGES = Metric("SchemaChanges", "Count", "Members that are gone or of another type.", rare=True)
PULL_RESTARTS = Metric("PullRestarts", "Count", "Endpoints started over because their rows moved.", rare=True)
REQUESTS_RETRIED = Metric("RequestsRetried", "Count", "Requests that were sent again.", rare=True)
EXTRACT_SECONDS = Metric("ExtractSeconds", "Seconds", "What reading the pages of all endpoints took.")
CHECK_SECONDS = Metric("RowCheckSeconds", "Seconds", "What checking the rows of all endpoints took.")
MEMORY_USED = Metric("MemoryUsed", "Megabytes", "The most memory that a function of a pull used.")

METRICS = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
