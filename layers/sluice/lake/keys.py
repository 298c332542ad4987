"""Keys of the lake bucket that every pipeline uses, ids that grow with time, and times in ISO 8601."""

from datetime import datetime

TABLES_PREFIX = "data/clean_parquet/"
RUNS_PREFIX = "runs/"


def timestamped_id(now: datetime, token: str) -> str:
    """Return an id that grows with time and begins with its day, e.g. ``20260131T235959123456Z-1f2e3d4c``."""
    return f"{now:%Y%m%dT%H%M%S%fZ}-{token}"


def iso(time: datetime) -> str:
    """Write a time in UTC as ISO 8601, with milliseconds."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def table_prefix(table: str) -> str:
    """Return the prefix of all files of a table."""
    return f"{TABLES_PREFIX}{table}.parquet/"


def parquet_key(table: str, hour: str, name: str) -> str:
    """Return the key of a Parquet file; `hour` is ``YYYY-MM-DDTHH``, partition values are not padded."""
    year, month, day = hour[:10].split("-")
    partition = f"year={int(year)}/month={int(month)}/day={int(day)}/hour={int(hour[11:13])}"
    return f"{table_prefix(table)}{partition}/{name}.parquet"
