"""Where things lie in the lake bucket."""

from datetime import datetime

CLEAN_PREFIX = "data/clean_json/"
DIRTY_PREFIX = "data/dirty_json/"
UNRELATED_PREFIX = "data/unrelated_json/"
TABLES_PREFIX = "data/clean_parquet/"
RUNS_PREFIX = "runs/"


def clean_key(chunk_id: str) -> str:
    """Return the key of a chunk's rows, grouped by table."""
    return _chunk_key(CLEAN_PREFIX, chunk_id)


def dirty_key(chunk_id: str) -> str:
    """Return the key of a chunk's dirty records."""
    return _chunk_key(DIRTY_PREFIX, chunk_id)


def unrelated_key(chunk_id: str) -> str:
    """Return the key of a chunk's unrelated records."""
    return _chunk_key(UNRELATED_PREFIX, chunk_id)


def _chunk_key(prefix: str, chunk_id: str) -> str:
    return f"{prefix}{chunk_id[:4]}/{chunk_id[4:6]}/{chunk_id[6:8]}/{chunk_id}.jsonl"


def chunk_id_of(key: str) -> str:
    """Return the id of the chunk that an object belongs to."""
    return key.rpartition("/")[2].removesuffix(".jsonl")


def timestamped_id(now: datetime, token: str) -> str:
    """Return an id that grows with time and begins with its day, e.g. ``20260131T235959123456Z-1f2e3d4c``."""
    return f"{now:%Y%m%dT%H%M%S%fZ}-{token}"


def plan_key(run_id: str, token: str) -> str:
    """Return the key of one planner's plan; the ledger says which plan of a run holds."""
    return f"{RUNS_PREFIX}{run_id}/plan-{token}.json"


def receipts_key(run_id: str, group_id: str) -> str:
    """Return the key of the proof that a group of batches is done: a line of JSON for each."""
    return f"{RUNS_PREFIX}{run_id}/receipts/{group_id}.jsonl"


def profile_part_key(run_id: str, group_id: str) -> str:
    """Return the key of a group's part of the profiling log."""
    return f"{RUNS_PREFIX}{run_id}/profile/{group_id}.parquet"


def commit_key(run_id: str) -> str:
    """Return the key of a run's summary."""
    return f"{RUNS_PREFIX}{run_id}/commit.json"


def table_prefix(table: str) -> str:
    """Return the prefix of all files of a table."""
    return f"{TABLES_PREFIX}{table}.parquet/"


def parquet_key(table: str, hour: str, name: str) -> str:
    """Return the key of a Parquet file; `hour` is ``YYYY-MM-DDTHH``, partition values are not padded."""
    year, month, day = hour[:10].split("-")
    partition = f"year={int(year)}/month={int(month)}/day={int(day)}/hour={int(hour[11:13])}"
    return f"{table_prefix(table)}{partition}/{name}.parquet"
