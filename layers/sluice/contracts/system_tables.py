"""Tables the pipeline itself fills."""

from sluice.contracts.model import Column, Table

PROFILING_LOG = Table(
    name="PROFILING_LOG",
    columns=(
        Column("workflow_run_id", (), "string", "Run that converted or reported the event."),
        Column("timestamp", (), "timestamp", "When the record was written, UTC."),
        Column("event_id", (), "string", "The event's own id, null where it has none."),
        Column("passed", (), "boolean", "True for a clean event, false for a dirty one."),
        Column("event_filename", (), "string", "Key of the object the event was delivered in."),
        Column("service_name", (), "string", "Service in capitals, null where it is unknown."),
        Column("service_type", (), "string", "EVENT or PREDICTION, null where it is unknown."),
        Column("errors", (), "string", "Why the event is dirty, as JSON; {} when it passed."),
    ),
    doc="One record per event of a run: what became of it and why.",
)

SYSTEM_TABLES = (PROFILING_LOG,)
