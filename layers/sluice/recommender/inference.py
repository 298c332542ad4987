"""An inference: recommendations of one model for one snapshot of the mart; its keys in the lake, its beginning."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import orjson

from sluice.lake.object_store import ObjectStore

INFERENCES_PREFIX = "runs/inferences/"
LATEST_KEY = "recommender/latest.json"
"""Names the inference whose recommendations are shown, and the last one of an earlier moment of the mart."""

POPULARITY = "popularity"
"""Version of the model where there is none yet: what most listen to."""

INFER, DONE, OVERTAKEN, EMPTY = "infer", "done", "overtaken", "no_listens"
"""Decisions: begin; this snapshot has them by this model; the mart shows another by now; it shows no listens yet."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the mart shows: the day of its listens (``YYYY-MM-DD``), and when it became what it is (ISO 8601, UTC)."""

    day: str
    published_at: str


@dataclass(frozen=True, slots=True)
class Inference:
    """One inference, by an id that is the same for the same snapshot and the same promotion of a model.

    A model that is rolled back to is promoted anew: what it recommends takes the place of what is shown. The model is
    an object of the lake (`model_key`, of these bytes `sha256`), none is popularity; `faults` counts the models in
    production before it that could not be read.
    """

    inference_id: str
    snapshot: str
    published_at: str
    model_version: str
    model_key: str = ""
    sha256: str = ""
    faults: int = 0

    @classmethod
    def of(cls, snapshot: Snapshot, version: str, key: str, sha256: str, faults: int, promoted_at: str = "") -> Self:
        """Return the inference for a snapshot by a model; `promoted_at` is of the one that is to be in production."""
        token = hashlib.sha256(f"{snapshot.published_at} {version} {promoted_at}".encode()).hexdigest()[:8]
        known = (snapshot.day, snapshot.published_at, version, key, sha256, faults)
        return cls(f"{snapshot.day.replace('-', '')}-{token}", *known)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read the JSON of an inference."""
        return cls(**value)

    def key(self, name: str) -> str:
        """Return the key of an object of it."""
        return f"{INFERENCES_PREFIX}{self.inference_id}/{name}"

    @property
    def result_key(self) -> str:
        """Key of what became of it."""
        return self.key("result.json")


@dataclass(frozen=True, slots=True)
class Latest:
    """The inference that is shown, and the last one of an earlier moment, to be compared with what was heard since."""

    inference_id: str
    published_at: str
    before: str

    @classmethod
    def read(cls, lake: ObjectStore) -> Self | None:
        """Return what the lake says; None before the first."""
        found = lake.find(LATEST_KEY)
        return cls(**orjson.loads(found.body)) if found else None


def note_latest(lake: ObjectStore, inference: Inference) -> None:
    """Note that an inference is shown; one of an earlier moment of the mart never takes the place of a later one's."""
    while True:
        found = lake.find(LATEST_KEY)
        known = Latest(**orjson.loads(found.body)) if found else None
        if known and (known.inference_id == inference.inference_id or known.published_at > inference.published_at):
            return
        latest = Latest(inference.inference_id, inference.published_at, _before(known, inference))
        if lake.replace(LATEST_KEY, orjson.dumps(latest), found.etag if found else None):
            return


def inference_before(lake: ObjectStore, inference: Inference) -> str:
    """Return the id of the inference that was shown last at an earlier moment of the mart; "" where there is none."""
    return _before(Latest.read(lake), inference)


def _before(latest: Latest | None, inference: Inference) -> str:
    if latest is None:
        return ""
    return latest.before if latest.published_at == inference.published_at else latest.inference_id
