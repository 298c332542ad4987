"""The application's rows are the same for a seed and a day, grow from day to day, and have something to learn."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

from cli.api_simulator.population import Population, Row

P = Population(tracks=600, users=400)


def histories(population: Population) -> dict[int, list[int]]:
    return {user: list(population.history(user)["items"]) for user in population.user_ids}  # type: ignore[call-overload]


def everything(population: Population) -> list[Row]:
    tracks, users = population.track_ids, population.user_ids
    return [
        *map(population.track, tracks), *map(population.user, users), *map(population.history, users),
    ]  # fmt: skip


def test_the_same_seed_and_day_are_the_same_application() -> None:
    assert everything(Population(seed=3, day=9)) == everything(Population(seed=3, day=9))
    assert everything(Population(seed=3)) != everything(Population(seed=4))


def test_all_that_was_listened_to_is_there() -> None:
    for day in (0, 1, 40, 300):
        population = replace(P, day=day)
        assert {track for items in histories(population).values() for track in items} <= set(population.track_ids)


def test_it_grows_from_day_to_day_and_the_oldest_go() -> None:
    days = [replace(P, day=day) for day in range(0, 60, 5)]
    for before, after in pairwise(days):
        old, new = histories(before), histories(after)
        assert sum(map(len, new.values())) > sum(map(len, old.values()))
        assert len(after.track_ids) >= len(before.track_ids)
        for user in old.keys() & new.keys():
            kept = [track for track in old[user] if track in after.track_ids]
            assert new[user][: len(kept)] == kept, "a history grows at its end"
    assert days[-1].user_ids.start > 1
    assert days[-1].user_ids.stop > days[0].user_ids.stop


def test_users_have_tastes_that_change() -> None:
    """Half of what a user listened to is of few scenes; which ones changes over the months."""
    late = replace(P, day=200)
    for user in (5, 50, 333):
        tastes = [P._tastes(user, day) for day in range(200)]
        assert len(set(tastes)) > 3
        genres = str(late.user(user)["favorite_genres"])
        assert genres != P.user(user)["favorite_genres"] or late._tastes(user, 200)[:2] == P._tastes(user, 0)[:2]


def test_few_tracks_get_many_listens_and_most_get_some() -> None:
    counts = Counter(track for items in histories(replace(P, listens=50)).values() for track in items)
    listened = sorted(counts.values(), reverse=True)
    top = sum(listened[: len(listened) // 10])
    assert top > 0.25 * sum(listened)
    assert len(counts) > 0.9 * len(P.track_ids)


def test_what_similar_users_listen_to_beats_what_all_listen_to() -> None:
    """Of each user's tracks a fifth is held out: a model of neighbours finds far more of them than popularity does."""
    kept: dict[int, set[int]] = {}
    held: dict[int, set[int]] = {}
    for user, items in histories(P).items():
        different = list(dict.fromkeys(items))
        held[user], kept[user] = set(different[::5]), set(different) - set(different[::5])
    popular = [track for track, _ in Counter(track for items in kept.values() for track in items).most_common()]
    together = {track: Counter[int]() for track in P.track_ids}
    for tracks in kept.values():
        for track in tracks:
            together[track].update(tracks)

    def neighbours(user: int) -> list[int]:
        scores: Counter[int] = Counter()
        for track in kept[user]:
            scores.update(together[track])
        return [track for track, _ in scores.most_common()]

    def recall(ranked: dict[int, list[int]]) -> float:
        ten = {user: [track for track in ranks if track not in kept[user]][:10] for user, ranks in ranked.items()}
        return sum(len(held[user] & set(ten[user])) / min(10, len(held[user])) for user in ten) / len(ten)

    users = [user for user in held if held[user] and kept[user]]
    personal, floor = recall({user: neighbours(user) for user in users}), recall(dict.fromkeys(users, popular))
    assert personal > 3 * floor > 0


def test_names_are_as_in_life() -> None:
    rows = everything(P)
    text = "".join(str(row) for row in rows)
    assert all(sign in text for sign in ("é", "'", ", ", '"', "&"))
    emails = [row["email"] for row in rows if "email" in row]
    assert len(set(emails)) == len(emails)
    earlier = [str(row["updated_at"]) < str(row["created_at"]) for row in map(P.track, P.track_ids)]
    assert 0.01 < sum(earlier) / len(earlier) < 0.1
