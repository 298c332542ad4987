"""A trained model, and its file."""

import hashlib
import io
import zipfile
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sluice.recommender.model.interactions import Ids
from sluice.recommender.model.settings import Settings


class CorruptModelError(Exception):
    """The file of a model is not what was written."""


@dataclass(frozen=True, slots=True)
class Model:
    """What was learnt of tracks. Users are folded in from what they heard: whom training did not see is served too.

    Attributes:
        tracks: Ids of the tracks it knows, sorted.
        factors: A row of float32 per track.
        settings: What it was trained with, which folding in needs again.
    """

    tracks: Ids
    factors: npt.NDArray[np.float32]
    settings: Settings

    def to_bytes(self) -> bytes:
        """Return the model as an npz file: the same model, the same bytes."""
        written = io.BytesIO()
        settings = np.array([self.settings.regularization, self.settings.alpha, self.settings.iterations])
        np.savez(written, tracks=self.tracks, factors=self.factors, settings=settings)
        return written.getvalue()

    @classmethod
    def from_bytes(cls, body: bytes, sha256: str) -> "Model":
        """Return the model of a file.

        Raises:
            CorruptModelError: the file is not the one with this digest, or no model.
        """
        if sha256_of(body) != sha256:
            raise CorruptModelError(
                f"the model's file has {len(body)} bytes of SHA-256 {sha256_of(body)}, but {sha256} was written; "
                "restore the object's earlier version, or promote another model"
            )
        try:
            with np.load(io.BytesIO(body), allow_pickle=False) as file:
                tracks, factors = file["tracks"], file["factors"]
                regularization, alpha, iterations = map(float, file["settings"])
                return cls(tracks, factors, Settings(factors.shape[1], regularization, alpha, int(iterations)))
        except (ValueError, KeyError, IndexError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise CorruptModelError(f"the file is no model: {error}; promote another model") from error


def sha256_of(body: bytes) -> str:
    """Return the digest that a model's file is known by."""
    return hashlib.sha256(body).hexdigest()
