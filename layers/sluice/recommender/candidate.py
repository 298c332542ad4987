"""A trained version as the lake keeps it beside its file: where it comes from, how good it is, what was decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import orjson

from sluice.lake.object_store import ObjectStore
from sluice.recommender.champion import MODELS_PREFIX, ModelError, Version

_MOST_BYTES = 1_000_000  # of a document


@dataclass(frozen=True, slots=True)
class Candidate:
    """A version of the model.

    Attributes:
        version: Its name.
        snapshot: Day of the listens it was trained with.
        trained_at: ISO 8601, UTC.
        reason_to_train: Why it was trained.
        key: Key of its file.
        sha256: Digest of that.
        code_version: Digest of the code that trained it.
        seed: Of all that is drawn at random.
        settings: Settings by name.
        metrics: Figures on the pairs held out, by name.
        champion: The version it was compared with; "" for none.
        champion_metrics: Figures of that on the same pairs; empty where there is none.
        comparison: Difference of NDCG@10 and its bounds, by name.
        promote: Whether it is better beyond noise.
        reason: Why, or why not, in a sentence.
    """

    version: str
    snapshot: str
    trained_at: str
    reason_to_train: str
    key: str
    sha256: str
    code_version: str
    seed: int
    settings: Mapping[str, float]
    metrics: Mapping[str, float]
    champion: str
    champion_metrics: Mapping[str, float]
    comparison: Mapping[str, float]
    promote: bool
    reason: str

    def promoted(self, now: str) -> Version:
        """Return it as it is in production from now on."""
        return Version(self.version, self.key, self.sha256, now, self.trained_at, self.metrics["ndcg_at_10"])

    def write(self, lake: ObjectStore) -> None:
        """Write its document, which makes it a version: its file is there by then."""
        lake.write(document_key(self.version), orjson.dumps(self))

    @classmethod
    def read(cls, lake: ObjectStore, version: str) -> Self:
        """Return a version.

        Raises:
            ModelError: there is none of this name, or its document is broken.
        """
        found = lake.find(document_key(version))
        if found is None:
            raise ModelError(f"there is no model {version!r}; `sluice models list` shows those there are")
        return cls._parse(document_key(version), found.body)

    @classmethod
    def _parse(cls, key: str, body: bytes) -> Self:
        try:
            return cls(**orjson.loads(body))
        except (ValueError, TypeError) as error:
            raise ModelError(f"{key} describes no model ({error}); restore the object's earlier version") from error

    @classmethod
    def all(cls, lake: ObjectStore) -> Sequence[Self]:
        """Return all versions, the newest first. Raises ModelError: a document is broken."""
        keys = [each.key for each in lake.list(MODELS_PREFIX) if each.key.endswith("/model.json")]
        bodies = zip(keys, lake.find_all(keys, _MOST_BYTES), strict=True)
        return [cls._parse(key, body) for key, body in reversed(list(bodies)) if body is not None]


def file_key(version: str) -> str:
    """Return the key of a version's file."""
    return f"{MODELS_PREFIX}{version}/model.npz"


def document_key(version: str) -> str:
    """Return the key of a version's document."""
    return f"{MODELS_PREFIX}{version}/model.json"


def result_of(candidate: Candidate, *, promoted: bool) -> dict[str, Any]:
    """Return what became of a training, as a JSON document."""
    overtaken = candidate.promote and not promoted
    also = "; but another model came into production meanwhile" if overtaken else ""
    return {
        "run": candidate.version,
        "snapshot": candidate.snapshot,
        "champion": candidate.champion or None,
        "candidate": candidate.version,
        "metrics": {"candidate": candidate.metrics, "champion": candidate.champion_metrics or None},
        "interval": [candidate.comparison["low"], candidate.comparison["high"]],
        "promoted": promoted,
        "reason": candidate.reason + also,
    }
