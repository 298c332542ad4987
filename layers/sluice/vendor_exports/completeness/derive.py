"""The rows of all histories, worked out of observations alone."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from statistics import median

from sluice.vendor_exports.completeness.model import Observation, SchemaChange, SlotHistory
from sluice.vendor_exports.delivery.schemas import Schema

USUAL_WEEKS = 8
"""How far back the usual size of an hour of the week is looked for."""

USUAL_JOBS = 3
"""With fewer delivered jobs in that time there is no usual size."""

_WEEKS_BEFORE = tuple(timedelta(weeks=weeks) for weeks in range(1, USUAL_WEEKS + 1))
_NO_CHANGE = SchemaChange()


def derive(observations: Iterable[Observation], out_of_scope: Collection[str]) -> list[SlotHistory]:
    """Make the row of each observation.

    Args:
        observations: In order of slots, each slot once.
        out_of_scope: Tables that are neither expected nor unexpected.

    Returns:
        A row per observation, in the same order.
    """
    derivation = _Derivation(frozenset(out_of_scope))
    return [derivation.row(observation) for observation in observations]


class _Derivation:
    """What rows need to know of the slots before."""

    def __init__(self, out_of_scope: frozenset[str]) -> None:
        self._out_of_scope = out_of_scope
        self._schema: Schema | None = None
        self._expected: tuple[str, ...] = ()
        self._known: frozenset[str] = frozenset()  # expected or out of scope
        self._sizes: dict[datetime, int] = {}

    def row(self, seen: Observation) -> SlotHistory:
        change = self._follow(seen.schema)
        usual = _usual_size(seen.slot.hour, self._sizes)
        delivered = seen.files > 0
        if delivered:
            self._sizes[seen.slot.hour] = seen.size
        came = frozenset(seen.tables)
        return SlotHistory(
            slot=seen.slot,
            delivered=delivered,
            files=seen.files,
            size=seen.size,
            expected=self._expected,
            missing=tuple(table for table in self._expected if table not in came),
            unexpected=tuple(sorted(came - self._known)) if self._expected else (),
            change=change,
            usual_size=usual,
        )

    def _follow(self, schema: Schema | None) -> SchemaChange:
        before = self._schema
        if schema is None or schema == before:
            return _NO_CHANGE
        self._schema = schema
        self._expected = tuple(table for table, _ in schema if table not in self._out_of_scope)
        self._known = self._out_of_scope.union(self._expected)
        return _NO_CHANGE if before is None else _change(dict(before), dict(schema))


def _change(before: Mapping[str, str], after: Mapping[str, str]) -> SchemaChange:
    return SchemaChange(
        added=tuple(sorted(after.keys() - before.keys())),
        removed=tuple(sorted(before.keys() - after.keys())),
        altered=tuple(sorted(table for table in after.keys() & before.keys() if after[table] != before[table])),
    )


def _usual_size(hour: datetime, sizes: Mapping[datetime, int]) -> int | None:
    delivered = [size for before in _WEEKS_BEFORE if (size := sizes.get(hour - before)) is not None]
    return round(median(delivered)) if len(delivered) >= USUAL_JOBS else None
