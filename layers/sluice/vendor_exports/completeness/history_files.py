"""Files of the histories in the lake: their keys, and the three tables of the catalog."""

from sluice.contracts.model import Column, Table
from sluice.lake.object_store import RUNS_PREFIX
from sluice.vendor_exports.client.api import Environment

JOB_METRICS_CSV = "historical_job_metrics.csv"
TABLE_METRICS_CSV = "historical_table_metrics.csv"
JOB_SIZE_CSV = "historical_job_size.csv"
REPORT = "report.html"


def observability_key(environment: Environment, name: str) -> str:
    """Return the key of a file people read: a CSV or the report."""
    return f"{environment.root}DataObservability/{name}"


def state_key(environment: Environment) -> str:
    """Return the key of the state: all observations, from which every other file is derived."""
    return observability_key(environment, "observations.parquet")


def history_plan_key(run_id: str) -> str:
    """Return the key of an initialisation's plan."""
    return f"{RUNS_PREFIX}history/{run_id}/plan.json"


def part_key(run_id: str, part: str) -> str:
    """Return the key of the observations of one part."""
    return f"{RUNS_PREFIX}history/{run_id}/parts/{part}.parquet"


_DATE = Column("date", (), "string", "Day and hour of the job, UTC, as YYYYMMDD-HH.")
_SLOT = Column("slot", (), "timestamp", "Begin of the hour, UTC.")

HISTORICAL_JOB_METRICS = Table(
    name="HISTORICAL_JOB_METRICS",
    columns=(
        _DATE,
        Column("jobdelivered", (), "int", "1 when any file landed, else 0."),
        Column("jobexpected", (), "int", "Always 1: a job is due every hour."),
        _SLOT,
    ),
    doc="One row per hour: whether the vendor's job delivered.",
    partition=(),
)

HISTORICAL_TABLE_METRICS = Table(
    name="HISTORICAL_TABLE_METRICS",
    columns=(
        _DATE,
        Column("tablesdelivered", (), "int", "Expected tables that came."),
        Column("tablesexpected", (), "int", "Tables of the master schema in force, less those out of scope."),
        Column("missingtables", (), "int", "Expected tables that did not come."),
        Column("missingtableslist", (), "string", "Their names, joined by semicolons."),
        Column("completenessratio", (), "double", "Tables delivered by tables expected."),
        _SLOT,
        Column("unexpected_tables", (), "array<string>", "Tables that came without being in the master schema."),
        Column("schema_added", (), "array<string>", "Tables the schema of the job before did not have."),
        Column("schema_removed", (), "array<string>", "Tables only the schema of the job before had."),
        Column("schema_altered", (), "array<string>", "Tables described otherwise than by the job before."),
    ),
    doc="One row per hour: which tables came, which did not, and what changed in the vendor's schema.",
    partition=(),
)

HISTORICAL_JOB_SIZE = Table(
    name="HISTORICAL_JOB_SIZE",
    columns=(
        _DATE,
        Column("size", (), "double", "Delivered kB of 1000 bytes."),
        Column("files", (), "int", "Delivered files."),
        _SLOT,
        Column("usual_size_kb", (), "double", "Median kB at this hour of the week before; null while it is unknown."),
        Column("deviation", (), "double", "Size by usual size: 1 is usual, 2 twice as much; null without usual size."),
    ),
    doc="One row per hour: how much was delivered, against what is usual for that hour of the week.",
    partition=(),
)

HISTORY_TABLES = (HISTORICAL_JOB_METRICS, HISTORICAL_TABLE_METRICS, HISTORICAL_JOB_SIZE)
"""Tables without partitions, of one file each."""
