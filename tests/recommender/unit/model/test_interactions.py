"""A matrix of who listened to what; which pairs are held out never changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.recommender.model.interactions import Interactions
from tests.recommender.listens import structured

PAIRS = st.lists(st.tuples(st.integers(-9, 2**62), st.integers(1, 12), st.integers(1, 5)), max_size=40)


def plays_of(pairs: Interactions) -> dict[tuple[int, int], float]:
    """Every pair with its plays."""
    matrix = pairs.plays.tocoo()
    return {(int(pairs.users[row]), int(pairs.tracks[column])): play for row, column, play in
            zip(matrix.row, matrix.col, matrix.data, strict=True)}  # fmt: skip


def of(listens: list[tuple[int, int, int]]) -> Interactions:
    users, tracks, plays = np.array(listens, np.int64).reshape(-1, 3).T
    return Interactions.of(users, tracks, plays)


@given(PAIRS, st.sets(st.integers(-9, 2**62), max_size=5), st.sets(st.integers(0, 14), max_size=9))
def test_rows_and_columns_are_chosen_as_by_hand(
    listens: list[tuple[int, int, int]], users: set[int], tracks: set[int]
) -> None:
    expected: dict[tuple[int, int], float] = {}
    for user, track, plays in listens:
        expected[user, track] = expected.get((user, track), 0) + plays
    pairs = of(listens)
    assert plays_of(pairs) == expected
    assert plays_of(Interactions.from_bytes(pairs.to_bytes())) == expected
    rows = np.array(sorted(users | {user for user, *_ in listens[::2]}), np.int64)
    columns = np.array(sorted(tracks), np.int64)
    chosen = pairs.among(rows).over(columns)
    assert chosen.plays.shape == (len(rows), len(columns))
    assert plays_of(chosen) == {
        (user, track): plays for (user, track), plays in expected.items() if user in rows and track in tracks
    }
    heard_by = [sum(pair[1] == track for pair in expected) for track in columns]
    assert pairs.over(columns).listeners().tolist() == heard_by


def test_a_fifth_of_the_pairs_is_held_out_and_stays_held_out_on_other_days() -> None:
    before, after = structured(0), structured(30)
    held = [set(plays_of(pairs.split().held)) for pairs in (before, after)]
    trained = [set(plays_of(pairs.split().train)) for pairs in (before, after)]
    assert not (held[0] | held[1]) & (trained[0] | trained[1]), "what was held out once is never trained with"
    for pairs, out, kept in zip((before, after), held, trained, strict=True):
        assert out | kept == set(plays_of(pairs))
        assert len(out) / pairs.pairs == pytest.approx(0.2, abs=0.01)
    sizes = np.diff(after.split().held.plays.indptr) / np.diff(after.plays.indptr)
    assert np.median(sizes) == pytest.approx(0.2, abs=0.03), "of each user, too"


def test_which_pairs_are_held_out_is_fixed_for_ever() -> None:
    pairs = Interactions.of(np.repeat([1, 2, 7_000_000_000], 12), np.tile(np.arange(12), 3))
    assert sorted(plays_of(pairs.split().held)) == HELD_FOR_EVER


def test_settings_are_validated_by_other_pairs_than_those_held_out() -> None:
    train = structured().split().train
    validation = train.validation_split()
    assert validation.held.pairs / train.pairs == pytest.approx(0.2, abs=0.01)
    assert set(plays_of(validation.held)) | set(plays_of(validation.train)) == set(plays_of(train))


HELD_FOR_EVER = [(1, 3), (1, 4), (1, 10), (2, 5), (2, 7), (2, 11), (7_000_000_000, 3), (7_000_000_000, 9)]
