"""Tracks, users with tastes and what they listened to, computed row by row from a seed and a day: nothing is kept.

Every track belongs to a scene, a part of a genre. A user has three scenes, listens to their tracks most of the time,
and changes one of them every few weeks. Within a scene few tracks get most of the listens, and many get few. From day
to day every history grows at its end, new tracks and users come, and the oldest go.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from cli.api_simulator import words

FIRST_DAY = datetime(2026, 1, 1)  # noqa: DTZ001 - the application's times have no zone
SCENES = 3 * len(words.GENRES)
DAYS_PER_TASTE = 45

_NEW, _GONE = 100, 1000  # one new row a day for so many, and one that goes
_GROWTH = 20  # days in which a history grows by what it had on day 0
_FIRST, _SECOND, _THIRD, _TRENDING = 0.55, 0.8, 0.9, 0.95  # shares of listens, added up; the rest is of any scene
_UPDATED_BEFORE_CREATED = 0.03
_SECONDS_A_DAY = 86_400
_PRIME = 2_654_435_761

Row = dict[str, object]


@dataclass(frozen=True)
class Population:
    """The application on a day, the same for the same seed.

    Attributes:
        seed: Another seed is another application.
        day: Days since the application began.
        tracks: Number of tracks on day 0.
        users: Number of users on day 0.
        listens: Tracks of a history on day 0, on average.
    """

    seed: int = 1
    day: int = 0
    tracks: int = 1000
    users: int = 1000
    listens: int = 20

    @property
    def track_ids(self) -> range:
        """The ids of all tracks."""
        return self._ids(self.tracks)

    @property
    def user_ids(self) -> range:
        """The ids of all users."""
        return self._ids(self.users)

    def track(self, track_id: int) -> Row:
        """Return a track."""
        rng = self._rng("track", track_id)
        scene, place = (track_id - 1) % SCENES, (track_id - 1) // SCENES
        genre, artist = scene // 3, self._rng("artist", scene * _PRIME + place // 8)
        created, updated = self._times(rng, _joined(track_id, self.tracks), self.day)
        return {
            "id": track_id,
            "name": words.title(rng),
            "artist": words.band(artist),
            "songwriters": ", ".join(words.full_name(artist) for _ in range(1 + int(rng.random() * 3))),
            "duration": f"{2 + int(rng.random() ** 4 * 58):02}:{int(rng.random() * 60):02}",
            "genres": ", ".join(
                dict.fromkeys((words.GENRES[genre], words.GENRES[int(rng.random() * len(words.GENRES))]))
            ),
            "album": words.title(self._rng("album", scene * _PRIME + place // 4)),
            "created_at": created,
            "updated_at": updated,
        }

    def user(self, user_id: int) -> Row:
        """Return a user."""
        rng = self._rng("user", user_id)
        first, last = words.first_name(rng), words.last_name(rng)
        created, updated = self._times(rng, _joined(user_id, self.users), self.day)
        return {
            "id": user_id,
            "first_name": first,
            "last_name": last,
            "email": words.email(first, last, user_id),
            "gender": words.gender(rng),
            "favorite_genres": ", ".join(
                dict.fromkeys(words.GENRES[scene // 3] for scene in self._tastes(user_id, self.day)[:2])
            ),
            "created_at": created,
            "updated_at": updated,
        }

    def history(self, user_id: int) -> Row:
        """Return what a user listened to, oldest first."""
        rng = self._rng("history", user_id)
        created, _ = self._times(rng, _joined(user_id, self.users), self.day)
        first = self.track_ids.start
        items = [track_id for track_id in self._listened(rng, user_id) if track_id >= first]
        updated = _text(FIRST_DAY + timedelta(days=self.day, seconds=-int(rng.random() * _SECONDS_A_DAY)))
        return {"user_id": user_id, "items": items, "created_at": created, "updated_at": updated}

    def _listened(self, rng: Random, user_id: int) -> Iterator[int]:
        joined, activity = (
            _joined(user_id, self.users),
            rng.expovariate(1 / max(self.listens, 1)) if self.listens else 0,
        )
        before = activity if joined == 0 else activity / 5
        random, day, tracks = rng.random, -1, 0
        tastes: tuple[int, ...] = ()
        for number in range(int(before + activity * (self.day - joined) / _GROWTH)):
            listened_on = joined + max(0, int((number + 1 - before) * _GROWTH / activity))
            if listened_on != day:
                day, tastes, tracks = listened_on, self._tastes(user_id, listened_on), _until(self.tracks, listened_on)
            if tracks:
                yield self._track_of(self._scene(random(), random(), tastes, day), tracks, random(), random())

    def _scene(self, share: float, chance: float, tastes: tuple[int, ...], day: int) -> int:
        if share < _THIRD:
            return tastes[0 if share < _FIRST else 1 if share < _SECOND else 2]
        return (self.seed + day // 7 * 11) % SCENES if share < _TRENDING else int(chance * SCENES)

    @staticmethod
    def _track_of(scene: int, tracks: int, depth: float, chance: float) -> int:
        """Return a track of a scene: half as many tracks as the rest are listened to twice as often, and so on."""
        places = (tracks - scene + SCENES - 1) // SCENES  # 1 to places
        if places < 1:
            return 1 + int(chance * tracks)
        zeros = int(depth * places.bit_length())
        place = (2 * int(chance * (((places >> zeros) + 1) >> 1)) + 1) << zeros
        return scene + SCENES * (place - 1) + 1

    def _tastes(self, user_id: int, day: int) -> tuple[int, ...]:
        """Return a user's scenes; every one of them changes now and then."""
        mixed = self.seed * _PRIME + user_id
        scenes = []
        for which in range(3):
            period = (day + (mixed * 7 + which * 13) % DAYS_PER_TASTE) // DAYS_PER_TASTE
            hashed = (mixed * 3 + which + period * 1009) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
            scenes.append((hashed >> 33) % SCENES)
        return tuple(scenes)

    def _ids(self, number: int) -> range:
        return range(1 + number * self.day // _GONE, 1 + _until(number, self.day))

    def _rng(self, kind: str, number: int) -> Random:
        return Random(f"{self.seed} {kind} {number}")  # noqa: S311 - a seed makes it repeatable

    @staticmethod
    def _times(rng: Random, joined: int, day: int) -> tuple[str, str]:
        """Return when a row was created, and updated: some rows were, by their times, before they were created."""
        age = rng.random() * (700 if joined == 0 else 1)
        created = FIRST_DAY + timedelta(days=joined, seconds=-int(age * _SECONDS_A_DAY))
        later = rng.random() ** 3 * (day - joined + age)
        days = -1 - later if rng.random() < _UPDATED_BEFORE_CREATED else later
        return _text(created), _text(created + timedelta(days=days))


def _until(number: int, day: int) -> int:
    """Return how many rows there ever were."""
    return number + number * day // _NEW


def _joined(row_id: int, number: int) -> int:
    """Return the day on which a row came."""
    return 0 if row_id <= number else -(-(row_id - number) * _NEW // max(number, 1))


def _text(moment: datetime) -> str:
    return moment.isoformat()
