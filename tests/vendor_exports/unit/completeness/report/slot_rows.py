"""Rows of the histories, and strategies for them."""

from collections.abc import Sequence

from hypothesis import strategies as st

from sluice.vendor_exports.completeness.slot_history import SchemaChange, SlotHistory
from sluice.vendor_exports.delivery.model import Slot

FIRST = Slot.parse("20260130-20")
TABLES = ("Cargo", "Port", "Vessel", "Voyage")


def row(
    hours: int = 0,
    missing: Sequence[str] = (),
    *,
    delivered: bool = True,
    size: int = 4_000_000,
    usual: int | None = None,
    unexpected: Sequence[str] = (),
    change: SchemaChange | None = None,
) -> SlotHistory:
    """The row of the slot so many hours after the first; nothing of it came unless it was delivered."""
    absent = tuple(missing) if delivered else TABLES
    return SlotHistory(
        slot=FIRST.after(hours),
        delivered=delivered,
        files=10 * delivered,
        size=size * delivered,
        expected=tuple(sorted({*TABLES, *missing})),
        missing=absent,
        unexpected=tuple(unexpected),
        change=change or SchemaChange(),
        usual_size=usual,
    )


def absent(hours: int) -> SlotHistory:
    """The row of a slot without delivery."""
    return row(hours, delivered=False)


_some_tables = st.sets(st.sampled_from(TABLES), max_size=2).map(lambda names: tuple(sorted(names)))
histories = st.lists(
    st.tuples(
        st.booleans(), _some_tables, st.integers(0, 10**9), st.none() | st.integers(0, 10**9), st.integers(1, 30)
    ),
    min_size=1,
    max_size=60,
).map(
    lambda parts: [
        row(sum(part[4] for part in parts[:number]), missing, delivered=delivered, size=size, usual=usual)
        for number, (delivered, missing, size, usual, _) in enumerate(parts)
    ]
)
"""Rows in the order of their slots, over days and months, with hours left out."""
