"""Recommendations in the mart: begun, filled batch by batch, shown at once, and deleted when others are shown."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from psycopg.sql import SQL, Composed, Identifier

from sluice.mart.batches import MAX_ROWS, cut
from sluice.mart.connection_postgres import Connection, Mart
from sluice.mart.model import Migration
from sluice.recommender.inference import Inference

VIEWS = ("recommendations", "similar_tracks", "evaluations", "models")
RECOMMENDATIONS, SIMILAR = "recommendations_by_inference", "similar_tracks_by_inference"

FIGURES = (
    "ndcg_at_10",
    "recall_at_10",
    "hit_rate_at_10",
    "coverage",
    "popularity_ndcg_at_10",
    "threshold",
    "day_users",
    "day_ndcg_at_10",
)
"""Columns of an inference that its evaluation fills."""

_COLUMNS: Mapping[str, Mapping[str, str]] = {
    RECOMMENDATIONS: {
        "user_id": "bigint",
        "rank": "integer",
        "track_id": "bigint",
        "score": "double precision",
        "popular": "boolean",
    },
    SIMILAR: {"track_id": "bigint", "rank": "integer", "other_id": "bigint", "score": "double precision"},
}
_KEYS = {RECOMMENDATIONS: ("user_id", "rank"), SIMILAR: ("track_id", "rank")}
_BEGIN = (
    "INSERT INTO inferences (run, snapshot_date, shown_at, model_version, begun_at, {figures}) "
    "VALUES (%s, %s, %s, %s, now(), {values}) ON CONFLICT (run) DO NOTHING"
)
# Of the same moment of the mart, the inference that was begun last: by the model that came into production last.
_IS_LATER = """
SELECT FROM current_inference AS c JOIN inferences AS o ON o.id = c.inference_id JOIN inferences AS i ON i.id = %s
WHERE (o.shown_at, o.id) > (i.shown_at, i.id)
"""
_POINT = """
INSERT INTO current_inference (one, inference_id) VALUES (1, %s)
ON CONFLICT (one) DO UPDATE SET inference_id = excluded.inference_id
"""
_PUBLISHED = "UPDATE inferences SET published_at = coalesce(published_at, now()) WHERE id = %s"
_OLD = """
SELECT i.id FROM inferences AS i
WHERE i.swept_at IS NULL
AND i.id < (SELECT inference_id FROM current_inference) AND i.begun_at < now() - INTERVAL '1 hour' ORDER BY i.id
"""
_SWEPT = "UPDATE inferences SET swept_at = now() WHERE id = %s"


def migrations() -> list[Migration]:
    """Return the migrations of these tables, in order."""
    folder = Path(__file__).with_name("migrations")
    return [Migration(f"recommender/{path.stem}", path.read_text()) for path in sorted(folder.glob("*.sql"))]


def begin(mart: Mart, inference: Inference, figures: Mapping[str, float]) -> int:
    """Return the id of an inference in the mart, which one that is repeated finds again."""
    statement = SQL(_BEGIN).format(
        figures=SQL(", ").join(map(Identifier, FIGURES)), values=SQL(", ").join([SQL("%s")] * len(FIGURES))
    )
    values = [inference.snapshot, inference.published_at, inference.model_version, *(figures[each] for each in FIGURES)]
    mart.execute(statement, [inference.inference_id, *values])
    ((found,),) = mart.query("SELECT id FROM inferences WHERE run = %s", [inference.inference_id])
    return int(found)


def write_rows(mart: Mart, table: str, inference: int, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write rows of an inference, given as columns, in batches; doing it again writes the same."""
    statement = _upsert(table)
    for batch in cut({name: columns[name] for name in _COLUMNS[table]}, _KEYS[table]):
        mart.execute(statement, [inference, *batch.values()])


def publish(mart: Mart, inference: int) -> bool:
    """Show the recommendations of an inference; False: later ones are shown already."""

    def work(connection: Connection) -> bool:
        if connection.execute(_IS_LATER, [inference]).rowcount:
            return False
        connection.execute(_POINT, [inference])
        connection.execute(_PUBLISHED, [inference])
        return True

    return mart.transact(work)


def sweep(mart: Mart, has_time: Callable[[], bool]) -> bool:
    """Delete recommendations that are not shown any more; return whether all of them are gone.

    Those begun within the hour stay: they may still be at work, and are found not to be the latest.
    """
    for (inference,) in mart.query(_OLD):
        for table in _COLUMNS:
            while True:
                if not has_time():
                    return False
                if not mart.execute(_delete(table), [inference, MAX_ROWS]):
                    break
        mart.execute(_SWEPT, [inference])
    return True


def _upsert(table: str) -> Composed:
    columns, key = _COLUMNS[table], _KEYS[table]
    names = [Identifier(name) for name in columns]
    return SQL(
        "INSERT INTO {table} (inference_id, {names}) SELECT %s::bigint, {names} FROM unnest({lists}) AS r ({names}) "
        "ON CONFLICT (inference_id, {key}) DO UPDATE SET {new}"
    ).format(
        table=Identifier(table),
        names=SQL(", ").join(names),
        lists=SQL(", ").join([SQL("%s::{}[]").format(SQL(kind)) for kind in columns.values()]),
        key=SQL(", ").join(map(Identifier, key)),
        new=SQL(", ").join([SQL("{0} = excluded.{0}").format(Identifier(each)) for each in columns if each not in key]),
    )


def _delete(table: str) -> Composed:
    key = SQL(", ").join(map(Identifier, ("inference_id", *_KEYS[table])))
    return SQL(
        "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE inference_id = %s LIMIT %s)"
    ).format(table=Identifier(table), key=key)
