"""Where columns are in an event, as one type: what is read of a clean line, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from sluice.contracts.hive import HiveType, parse_hive
from sluice.contracts.model import Column

_Members = dict[str, "HiveType | _Members"]


def event_type(columns: Iterable[Column]) -> HiveType:
    """Return the struct an event is as far as `columns` are in it; a column without a path is a member by its name.

    Raises:
        ValueError: A column lies within another, or two say of the same member that it is different things.
    """
    members: _Members = {}
    for column in columns:
        parent, path = members, path_of(column)
        for name in path[:-1]:
            found = parent.setdefault(name, {})
            if isinstance(found, HiveType):
                raise ValueError(f"column {column.name} lies within another: one of them has to go")
            parent = found
        type_ = parse_hive(column.type)
        if parent.setdefault(path[-1], type_) != type_:
            raise ValueError(f"column {column.name} is of another type than what stands at its path already")
    return _struct(members)


def path_of(column: Column) -> tuple[str, ...]:
    """Return the members that lead to a column in a clean line."""
    return column.path or (column.name,)


def _struct(members: _Members) -> HiveType:
    return HiveType(
        "struct",
        tuple((name, part if isinstance(part, HiveType) else _struct(part)) for name, part in members.items()),
    )
