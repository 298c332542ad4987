"""The recommender's tables of the lake, in a folder per day of the snapshot."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson
import pyarrow as pa

from sluice.contracts.model import Column, Table
from sluice.lake.object_store import ObjectStore, table_prefix
from sluice.lake.parquet import as_columns, to_parquet
from sluice.recommender.inference import Inference

_SNAPSHOT_DATE = Column("snapshot_date", (), "date", "Day of the snapshot, UTC.")
_MODEL = Column("model_version", (), "string", "Version of the model, or popularity.")
_INFERENCE = Column("inference_id", (), "string", "The inference that made the row.")

RECOMMENDATIONS = Table(
    "RECOMMENDATIONS",
    (
        Column("user_id", (), "bigint", "The user."),
        Column("rank", (), "int", "1 is the best."),
        Column("track_id", (), "bigint", "A track that the user has not heard."),
        Column("score", (), "double", "Higher is better, within a user."),
        Column("popular", (), "boolean", "Whether it is there because others listen to it."),
        _MODEL,
        _INFERENCE,
    ),
    "Tracks recommended to users.",
    (_SNAPSHOT_DATE,),
)
EVALUATIONS = Table(
    "EVALUATIONS",
    (
        Column("ndcg_at_10", (), "double", "Gain of the held-out tracks among the first ten, discounted by rank."),
        Column("recall_at_10", (), "double", "Share of the held-out tracks among the first ten."),
        Column("hit_rate_at_10", (), "double", "Share of users with one of them among the first ten."),
        Column("coverage", (), "double", "Share of the tracks that anybody is recommended."),
        Column("popularity_ndcg_at_10", (), "double", "The same gain of what most listen to."),
        Column("threshold", (), "double", "The model is to be trained anew under it."),
        Column("day_users", (), "bigint", "Users with recommendations before who heard something new since."),
        Column("day_ndcg_at_10", (), "double", "Gain of what they heard since, in what they were recommended."),
        _MODEL,
        _INFERENCE,
    ),
    "How good the recommendations of a snapshot are.",
    (_SNAPSHOT_DATE,),
)
TABLES = (RECOMMENDATIONS, EVALUATIONS)


def write_rows(
    lake: ObjectStore, table: Table, schema: pa.Schema, inference: Inference, part: int, columns: Mapping[str, Any]
) -> str:
    """Write rows of an inference, given as columns, as a Parquet file; return its key, always the same one."""
    rows = pa.table(dict(columns))
    known = {
        "model_version": pa.repeat(inference.model_version, len(rows)),
        "inference_id": pa.repeat(inference.inference_id, len(rows)),
        "snapshot_date": pa.repeat(date.fromisoformat(inference.snapshot), len(rows)),
    }
    for name, values in known.items():
        rows = rows.append_column(name, values)
    rows = pa.table(
        {field.name: rows[field.name].cast(field.type) for field in schema if field.name in rows.column_names}
    )
    folder = f"{table_prefix(table.name)}{_SNAPSHOT_DATE.name}={inference.snapshot}"
    key = f"{folder}/inference-{inference.inference_id}-{part:05}.parquet"
    lake.write(key, to_parquet(as_columns(rows, schema)))
    return key


def read_part(lake: ObjectStore, key: str) -> Mapping[str, Any]:
    """Return rows as columns, which infer wrote."""
    found: Mapping[str, Any] = orjson.loads(lake.read(key))
    return found
