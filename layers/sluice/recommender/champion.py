"""The champion: the version of the model that is in production, and those that were before."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

import orjson

from sluice.lake.object_store import MissingObjectError, ObjectStore

CHAMPION_KEY = "recommender/champion.json"
MODELS_PREFIX = "recommender/models/"
REGISTRY_KEY = "recommender/registry/mlflow.db"
"""Of MLflow's store of the versions."""
_KEPT = 20  # champions before


class ModelError(Exception):
    """A model cannot be put into production; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the model: its file's key and digest, since when it is in production, and how good it was then."""

    version: str
    key: str
    sha256: str
    promoted_at: str
    trained_at: str
    ndcg_at_training: float

    def is_whole(self, lake: ObjectStore) -> bool:
        """Tell whether its file is there, and what was written."""
        try:
            return hashlib.sha256(lake.read(self.key)).hexdigest() == self.sha256
        except MissingObjectError:
            return False


@dataclass(frozen=True, slots=True)
class Champion:
    """The version in production, and those before it, the newest first; none of either at first."""

    current: Version | None = None
    before: tuple[Version, ...] = ()
    etag: str | None = None

    @classmethod
    def read(cls, lake: ObjectStore) -> Self:
        """Return what the lake says.

        Raises:
            ModelError: it says nothing that can be understood.
        """
        found = lake.find(CHAMPION_KEY)
        if found is None:
            return cls()
        try:
            current: dict[str, Any] = orjson.loads(found.body)
            before = tuple(Version(**each) for each in current.pop("before"))
            return cls(Version(**current), before, found.etag)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModelError(
                f"{CHAMPION_KEY} does not name a model ({error}); restore the object's earlier version in S3"
            ) from error

    @property
    def version(self) -> str:
        """Name of the version in production; "" for none."""
        return self.current.version if self.current else ""

    @property
    def versions(self) -> Sequence[Version]:
        """The one in production, then those before."""
        return (*((self.current,) if self.current else ()), *self.before)

    def usable(self, lake: ObjectStore) -> tuple[Version | None, int]:
        """Return the newest version whose file is whole, and how many before it in line are not."""
        for faults, version in enumerate(self.versions):
            if version.is_whole(lake):
                return version, faults
        return None, len(self.versions)


def promote(lake: ObjectStore, version: Version, instead_of: str) -> bool:
    """Put a version into production in the place of another one ("": of none), if that still is in production.

    Doing it again changes nothing. Returns whether the version is in production.

    Raises:
        ModelError: its file is missing, or not what was written.
    """
    if not version.is_whole(lake):
        raise ModelError(
            f"{version.key} is missing or not what was written of {version.version}; "
            "restore the object's earlier version in S3, or promote another model"
        )
    while True:
        champion = Champion.read(lake)
        if version.version == champion.version or champion.version != instead_of:
            return champion.version == version.version
        others = tuple(each for each in champion.versions if each.version != version.version)
        if _write(lake, replace(champion, current=version, before=others[:_KEPT])):
            return True


def roll_back(lake: ObjectStore, now: str) -> Version:
    """Put the newest version before that is whole into production again; the one it replaces is no fall-back any more.

    Raises:
        ModelError: there is none, or another one came into production meanwhile.
    """
    champion = Champion.read(lake)
    for place, earlier in enumerate(champion.before):
        if earlier.is_whole(lake):
            version = replace(earlier, promoted_at=now)
            if _write(lake, replace(champion, current=version, before=champion.before[place + 1 :])):
                return version
            raise ModelError("another model came into production meanwhile; see `sluice models list`, then repeat it")
    raise ModelError("no earlier model whose file is whole was in production; see `sluice models list`")


def _write(lake: ObjectStore, champion: Champion) -> bool:
    before: Sequence[Mapping[str, Any]] = [asdict(each) for each in champion.before]
    document = {**(asdict(champion.current) if champion.current else {}), "before": before}
    return lake.replace(CHAMPION_KEY, orjson.dumps(document), champion.etag)
