"""Who listened to what, as a sparse matrix, and the pairs of it that no model ever sees."""

import io
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

Ids: TypeAlias = npt.NDArray[np.int64]
Matrix: TypeAlias = Any  # scipy's csr_matrix of float32, which has no types

PARTS = 5  # one pair of so many is held out

_HELD_OUT, _VALIDATION = np.uint64(0x5317CE), np.uint64(0xA11D8)


@dataclass(frozen=True, slots=True)
class Interactions:
    """Listens of users to tracks.

    Attributes:
        users: Ids of the rows, sorted, each once.
        tracks: Ids of the columns, sorted, each once.
        plays: How often a user listened to a track; what is not in it was not heard.
    """

    users: Ids
    tracks: Ids
    plays: Matrix

    @classmethod
    def of(cls, users: Ids, tracks: Ids, plays: npt.NDArray[np.generic] | None = None) -> "Interactions":
        """Return the interactions of parallel arrays; a pair that comes again adds to its plays."""
        user_ids, rows = np.unique(np.asarray(users, np.int64), return_inverse=True)
        track_ids, columns = np.unique(np.asarray(tracks, np.int64), return_inverse=True)
        counts = np.ones(len(rows), np.float32) if plays is None else np.asarray(plays, np.float32)
        matrix = csr_matrix((counts, (rows, columns)), shape=(len(user_ids), len(track_ids)), dtype=np.float32)
        matrix.sum_duplicates()
        return cls(user_ids, track_ids, matrix)

    @property
    def pairs(self) -> int:
        """The number of pairs of a user and a track."""
        return int(self.plays.nnz)

    def split(self) -> "Split":
        """Return the pairs to train with and those held out, which are the same ones for ever."""
        return self._split(_HELD_OUT)

    def validation_split(self) -> "Split":
        """Return the same of pairs to train with, for choosing settings: by another hash."""
        return self._split(_VALIDATION)

    def among(self, users: Ids) -> "Interactions":
        """Return the same with these users as rows; one who is new has heard nothing."""
        places, known = _places(self.users, users)
        rows = self.plays[places[known]]
        lengths = np.zeros(len(users), np.int64)
        lengths[known] = np.diff(rows.indptr)
        matrix = _matrix(rows.data, rows.indices, lengths, len(self.tracks))
        return Interactions(users, self.tracks, matrix)

    def over(self, tracks: Ids) -> "Interactions":
        """Return the same with these tracks as columns: listens to others are left out."""
        places, known = _places(tracks, self.tracks)
        kept = known[self.plays.indices]
        before = np.concatenate(([0], np.cumsum(kept)))[self.plays.indptr]
        columns = places[self.plays.indices[kept]]
        return Interactions(self.users, tracks, _matrix(self.plays.data[kept], columns, np.diff(before), len(tracks)))

    def listeners(self) -> npt.NDArray[np.int64]:
        """Return how many users heard each track."""
        return np.bincount(self.plays.indices, minlength=len(self.tracks)).astype(np.int64)

    def to_bytes(self) -> bytes:
        """Return the interactions as an npz file."""
        written = io.BytesIO()
        plays = self.plays
        np.savez_compressed(
            written,
            users=self.users,
            tracks=self.tracks,
            data=plays.data,
            indices=plays.indices,
            lengths=np.diff(plays.indptr),
        )
        return written.getvalue()

    @classmethod
    def from_bytes(cls, body: bytes) -> "Interactions":
        """Return what `to_bytes` wrote."""
        with np.load(io.BytesIO(body), allow_pickle=False) as file:
            tracks = file["tracks"]
            return cls(file["users"], tracks, _matrix(file["data"], file["indices"], file["lengths"], len(tracks)))

    def _split(self, salt: np.uint64) -> "Split":
        rows = np.repeat(self.users, np.diff(self.plays.indptr))
        held = _hashed(rows, self.tracks[self.plays.indices], salt) % np.uint64(PARTS) == 0
        return Split(self._where(~held), self._where(held))

    def _where(self, chosen: npt.NDArray[np.bool_]) -> "Interactions":
        plays = self.plays
        before = np.concatenate(([0], np.cumsum(chosen)))[plays.indptr]
        matrix = _matrix(plays.data[chosen], plays.indices[chosen], np.diff(before), len(self.tracks))
        return Interactions(self.users, self.tracks, matrix)


@dataclass(frozen=True, slots=True)
class Split:
    """Pairs to train with, and pairs held out: two parts of one matrix, with its rows and columns."""

    train: Interactions
    held: Interactions


def _matrix(
    data: npt.NDArray[np.float32], columns: npt.NDArray[np.generic], lengths: npt.NDArray[np.int64], width: int
) -> Matrix:
    starts = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return csr_matrix((data, columns.astype(np.int32), starts), shape=(len(lengths), width))


def _places(among: Ids, wanted: Ids) -> tuple[Ids, npt.NDArray[np.bool_]]:
    """Return where each id is in sorted ids, and whether it is there."""
    places = np.minimum(np.searchsorted(among, wanted), max(len(among) - 1, 0))
    known = among[places] == wanted if len(among) else np.zeros(len(wanted), np.bool_)
    return places, known


def _hashed(users: Ids, tracks: Ids, salt: np.uint64) -> npt.NDArray[np.uint64]:
    """Return 64 mixed bits per pair (the finaliser of splitmix64, twice): it must never change."""
    return _mixed(_mixed(users.astype(np.uint64) ^ salt) + tracks.astype(np.uint64))


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
