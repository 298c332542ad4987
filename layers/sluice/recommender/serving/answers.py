"""What the service answers."""

from dataclasses import dataclass, field
from datetime import date, datetime

VIEWS = ("users", "tracks", "recommendations", "similar_tracks", "models")
"""What the service reads of the mart."""

RETRY_AFTER_SECONDS = 5
"""How long a caller waits when the mart sleeps: it wakes up by being asked."""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A track that a user has not heard; `popular`: it is one that many hear, not chosen by the user's taste."""

    rank: int
    track_id: int
    name: str | None
    artist: str | None
    score: float
    popular: bool


@dataclass(frozen=True, slots=True)
class Recommendations:
    """What a user is recommended, the best first; by no model where inference did not know the user yet."""

    user_id: int
    model_version: str | None
    snapshot: date | None
    recommendations: list[Recommendation]


@dataclass(frozen=True, slots=True)
class SimilarTrack:
    """A track that is heard by those who hear another."""

    rank: int
    track_id: int
    name: str | None
    artist: str | None
    score: float


@dataclass(frozen=True, slots=True)
class SimilarTracks:
    """What is similar to a track, the most similar first."""

    track_id: int
    similar: list[SimilarTrack]


@dataclass(frozen=True, slots=True)
class ModelInProduction:
    """The model by which the recommendations were made that are answered now."""

    model_version: str
    snapshot: date
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Health:
    """That the service and its mart answer."""

    status: str


@dataclass(frozen=True, slots=True)
class Detail:
    """A parameter that is wrong: where it is, and what is wrong with it."""

    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why API Gateway did not let a request through."""

    message: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a request is not answered; its message is where a refusal has its own."""

    code: str
    message: str
    details: list[Detail] = field(default_factory=list)


class UnknownError(Exception):
    """Nobody knows what is asked for; the message says what it is."""
