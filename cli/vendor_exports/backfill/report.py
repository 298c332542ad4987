"""What is to be copied, or was: as a JSON document and as a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from cli.platform.console import plural, titled
from cli.vendor_exports.backfill.copying import Outcome
from cli.vendor_exports.backfill.missing_hours import File, SlotPlan, State
from cli.vendor_exports.backfill.places import Place
from sluice.vendor_exports.delivery.slots import Environment, Slot

_SHOWN = 50  # ranges of a table people read
_STYLES = {State.MISSING: "green", State.PARTIAL: "yellow", State.DIFFERING: "red"}


@dataclass(frozen=True, slots=True)
class Backfill:
    """What another bucket has for the lake; `outcomes` is None as long as nothing was copied."""

    environment: Environment
    source: Place
    plans: tuple[SlotPlan, ...]
    ignored: int
    outcomes: tuple[Outcome, ...] | None = None

    @property
    def wanted(self) -> list[SlotPlan]:
        """The slots of which there are files to copy."""
        return [plan for plan in self.plans if plan.files]

    @property
    def failed(self) -> list[Outcome]:
        """The files that were not copied though they should have been, in order of keys."""
        return sorted((outcome for outcome in self.outcomes or () if outcome.problem), key=lambda outcome: outcome.key)

    @property
    def changed(self) -> list[Slot]:
        """The slots that files were copied into, in order."""
        return sorted({outcome.slot for outcome in self.outcomes or () if not outcome.problem})

    def document(self) -> dict[str, Any]:
        """The document of `sluice history copy-missing --json`: files and bytes to copy or, once done, copied."""
        failed = self.failed
        lost: dict[Slot, list[File]] = defaultdict(list)
        for outcome in failed:
            lost[outcome.slot].append(outcome.file)
        slots = [_slot_document(plan, lost[plan.slot]) for plan in self.plans]
        return {
            "environment": self.environment.value,
            "source": self.source.url,
            "copied": self.outcomes is not None,
            "slots": slots,
            "files": sum(slot["files"] for slot in slots),
            "bytes": sum(slot["bytes"] for slot in slots),
            "ignored": self.ignored,
            "failed": [outcome.key for outcome in failed],
        }


def _slot_document(plan: SlotPlan, lost: Sequence[File]) -> dict[str, Any]:
    return {
        "slot": str(plan.slot),
        "state": plan.state.value,
        "files": len(plan.files) - len(lost),
        "bytes": plan.bytes - sum(file.size for file in lost),
    }


def table(found: Backfill) -> RenderableType:
    """What there is to copy, for people: neighbouring slots of one state are one row."""
    shown = Table("State", "Slots")
    for heading in ("Hours", "Files to copy", "MB", "Files that differ"):
        shown.add_column(heading, justify="right")
    ranges = list(_ranges(found.plans))
    for plans in ranges[:_SHOWN]:
        shown.add_row(*_row(plans))
    if (more := len(ranges) - _SHOWN) > 0:
        shown.add_row("", f"and {plural(more, 'range')} more; --json lists every slot")
    files = sum(len(plan.files) for plan in found.plans)
    title = f"{found.environment}, {found.source.url}: {plural(len(found.wanted), 'slot')}, {plural(files, 'file')}"
    return titled(f"{title}, {_megabytes(found.plans)} MB to copy", shown)


def _ranges(plans: Sequence[SlotPlan]) -> Iterator[list[SlotPlan]]:
    """Yield runs of slots, hour after hour, of one state; what is the same needs no word."""
    told = enumerate(plan for plan in plans if plan.state is not State.SAME)
    for _, run in groupby(told, key=lambda found: (found[1].state, found[1].slot.after(-found[0]))):
        yield [plan for _, plan in run]


def _row(plans: Sequence[SlotPlan]) -> list[str]:
    first, last, state = plans[0].slot, plans[-1].slot, plans[0].state
    files, conflicts = sum(len(plan.files) for plan in plans), sum(len(plan.conflicts) for plan in plans)
    return [
        f"[{_STYLES[state]}]{state}[/]",
        str(first) if first == last else f"{first} … {last}",
        f"{len(plans):,}",
        f"{files:,}" if files else "-",
        _megabytes(plans) if files else "-",
        f"{conflicts:,}" if conflicts else "-",
    ]


def _megabytes(plans: Sequence[SlotPlan]) -> str:
    return f"{sum(plan.bytes for plan in plans) / 1e6:,.1f}"
