"""What the service reads: one statement a request, on the primary keys of what inference wrote."""

from collections.abc import Sequence

from sluice.mart.connection_postgres import Mart
from sluice.recommender.serving.answers import (
    ModelInProduction,
    Recommendation,
    Recommendations,
    SimilarTrack,
    SimilarTracks,
    UnknownError,
)

TIMEOUT_SECONDS = 5
"""How long a connection may take: API Gateway gives an answer 30 seconds, and a caller may ask again."""

PAUSES = (0.1, 0.5)
"""Before further attempts, seconds at most."""

_IDS = range(-(2**63), 2**63)  # others would be compared with every row, as numbers of any size

# The views show what was inferred last; tracks that are gone, and those that were heard, they leave out.
_RECOMMENDATIONS = """
SELECT r.rank, r.track_id, r.name, r.artist, r.score, r.popular, r.model_version, r.snapshot_date
FROM users AS u LEFT JOIN (
    SELECT r.*, t.name, t.artist FROM recommendations AS r JOIN tracks AS t ON t.id = r.track_id
    WHERE r.user_id = %s AND r.track_id <> ALL(%s) ORDER BY r.rank LIMIT %s
) AS r ON r.user_id = u.id
WHERE u.id = %s ORDER BY r.rank
"""
_SIMILAR = """
SELECT s.rank, s.other_id, s.name, s.artist, s.score
FROM tracks AS t LEFT JOIN (
    SELECT s.*, o.name, o.artist FROM similar_tracks AS s JOIN tracks AS o ON o.id = s.other_id
    WHERE s.track_id = %s ORDER BY s.rank LIMIT %s
) AS s ON s.track_id = t.id
WHERE t.id = %s ORDER BY s.rank
"""
_MODEL = "SELECT model_version, snapshot_date, published_at FROM models"


class PostgresReading:
    """Reads of the mart's views, which show the last inference that is whole."""

    def __init__(self, mart: Mart) -> None:
        self._mart = mart

    def recommendations(self, user: int, limit: int, exclude: Sequence[int]) -> Recommendations:
        """Return what a user is recommended: tracks that are there today, and were not heard until today.

        Raises:
            UnknownError: There is no such user.
        """
        unwanted = [track for track in exclude if track in _IDS]
        rows = self._mart.query(_RECOMMENDATIONS, [user, unwanted, limit, user]) if user in _IDS else []
        if not rows:
            raise UnknownError(f"There is no user {user}.")
        version, snapshot = rows[0][6:]
        return Recommendations(user, version, snapshot, [Recommendation(*row[:6]) for row in rows if row[0]])

    def similar(self, track: int, limit: int) -> SimilarTracks:
        """Return what is similar to a track.

        Raises:
            UnknownError: There is no such track.
        """
        rows = self._mart.query(_SIMILAR, [track, limit, track]) if track in _IDS else []
        if not rows:
            raise UnknownError(f"There is no track {track}.")
        return SimilarTracks(track, [SimilarTrack(*row) for row in rows if row[0]])

    def model(self) -> ModelInProduction:
        """Return the model in production.

        Raises:
            UnknownError: Nothing was inferred yet.
        """
        rows = self._mart.query(_MODEL)
        if not rows:
            raise UnknownError("There is no model in production: nothing was inferred yet.")
        return ModelInProduction(*rows[0])

    def ping(self) -> None:
        """Read something, so that the mart is awake."""
        self._mart.query("SELECT 1")
