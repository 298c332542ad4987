"""Where the histories lie in a bucket."""

from sluice.lake.keys import RUNS_PREFIX
from sluice.vendor_exports.delivery.slots import Environment

TABLES_PREFIX = "data/history/"

JOB_METRICS_CSV = "historical_job_metrics.csv"
TABLE_METRICS_CSV = "historical_table_metrics.csv"
JOB_SIZE_CSV = "historical_job_size.csv"
REPORT = "report.html"


def observability_key(environment: Environment, name: str) -> str:
    """Return the key of a file people read: a CSV or the report."""
    return f"{environment.root}DataObservability/{name}"


def state_key(environment: Environment) -> str:
    """Return the key of all observations, what every other file is derived from."""
    return observability_key(environment, "observations.parquet")


def history_prefix(environment: Environment, table: str) -> str:
    """Return the prefix a table of the catalog reads."""
    return f"{TABLES_PREFIX}{environment}/{table}.parquet/"


def history_key(environment: Environment, table: str) -> str:
    """Return the key of a table's one Parquet file."""
    return f"{history_prefix(environment, table)}history.parquet"


def history_plan_key(run_id: str) -> str:
    """Return the key of an initialisation's plan."""
    return f"{RUNS_PREFIX}history/{run_id}/plan.json"


def part_prefix(run_id: str) -> str:
    """Return the prefix of what an initialisation has observed so far, one object per part."""
    return f"{RUNS_PREFIX}history/{run_id}/parts/"


def part_key(run_id: str, part: str) -> str:
    """Return the key of the observations of one part."""
    return f"{part_prefix(run_id)}{part}.parquet"
