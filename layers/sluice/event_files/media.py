"""Media that events name: looked up many at a time, and remembered."""

from collections.abc import Callable, Collection, Mapping
from itertools import islice

Medium = tuple[str, str]
"""A medium as events name it: its library, and its id there."""

FindMedia = Callable[[str, str], str | None]
"""Finds the ``s3://`` URI of a medium by media library and media id, None when there is none.

It raises NotLookedUpError where that is not known yet.
"""
LookUpMedia = Callable[[Collection[Medium]], Mapping[Medium, str]]
"""Returns the URIs of those media that are there."""

_MOST_KNOWN = 20_000  # several times as many as are looked up together
_LONGEST_KEY = 1024  # bytes that the key of an object may have


class NotLookedUpError(Exception):
    """It is not known yet whether there is such a medium."""

    def __init__(self, medium: Medium) -> None:
        super().__init__(medium)
        self.medium = medium


class KnownMedia:
    """Media that were looked up: those that are there, and, for one invocation, those that are not."""

    def __init__(self, look_up: LookUpMedia) -> None:
        self._look_up = look_up
        self._known: dict[Medium, str | None] = {}

    def find(self, medialib: str, media_id: str) -> str | None:
        """Return a medium's URI, None where there is none. Raises NotLookedUpError."""
        medium = (medialib, media_id)
        try:
            return self._known[medium]
        except KeyError:
            if not medialib or not media_id or len("/".join(medium).encode()) > _LONGEST_KEY:
                return None  # no key of an object contains that
            raise NotLookedUpError(medium) from None

    def look_up(self, media: Collection[Medium]) -> None:
        """Look media up, all together; those known longest are forgotten for them."""
        found = self._look_up(media)
        self._known.update((medium, found.get(medium)) for medium in media)
        for medium in [*islice(self._known, max(0, len(self._known) - _MOST_KNOWN))]:
            del self._known[medium]

    def forget_missing(self) -> None:
        """Forget which media are not there: they may have come."""
        self._known = {medium: uri for medium, uri in self._known.items() if uri}
