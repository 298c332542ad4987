"""Families of producers: how their events say what they are, in members that a family names itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

Kind = Literal["EVENT", "PRED"]

KINDS: tuple[Kind, ...] = get_args(Kind)
ANY_TYPE = "*"
"""In a family's kinds: every ``detail-type`` that is not named."""


@dataclass(frozen=True, slots=True)
class Place:
    """A member that names the service: with its whole text, or with what follows the last of a separator in it."""

    path: tuple[str, ...]
    after_last: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of producer, and how its events say what they are.

    Attributes:
        name: Name of the family, e.g. ``event_files``.
        source: What its events carry as ``source``, compared without case.
        kinds: Kind of table by ``detail-type``; `ANY_TYPE` stands for all others.
        service: By kind, where events name their service: the first place that holds anything counts.
        time: Path of the time, which the partition is derived from.
        id: Path of the event's identifier.
        doc: Who the producers are.
        version: By kind, where producers say which version of theirs made an event, if they do.
    """

    name: str
    source: str
    kinds: Mapping[str, Kind]
    service: Mapping[Kind, tuple[Place, ...]]
    time: tuple[str, ...]
    id: tuple[str, ...]
    doc: str
    version: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict)

    def body(self, kind: Kind) -> tuple[str, ...]:
        """Return the path of the object that holds what is a table's own: that which names its service."""
        return self.service[kind][0].path[:-1] or ("detail",)

    def kind_of(self, detail_type: object) -> Kind | None:
        """Return the kind of events of a type."""
        return self.kinds.get(detail_type, self.kinds.get(ANY_TYPE)) if isinstance(detail_type, str) else None

    def service_of(self, event: object, kind: Kind) -> str | None:
        """Return the service that an event of a kind names."""
        return service_in(event, self.service[kind])


def service_in(event: object, places: Iterable[Place]) -> str | None:
    """Return the service that an event names in one of some places: the first that holds anything counts."""
    for place in places:
        found = value_at(event, place.path)
        if found is None:
            continue
        if not isinstance(found, str) or place.after_last not in found:
            return None
        return (found.rpartition(place.after_last)[2] if place.after_last else found) or None
    return None


def value_at(value: Any, path: Iterable[str]) -> Any:  # noqa: ANN401
    """Return the member of objects within objects that a path leads to; None where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
