"""`sluice history copy-missing`: back-fill the lake from another bucket."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import groupby
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Column

from cli.platform.console import (
    CliError,
    JsonOption,
    err,
    handled,
    out,
    plural,
    progress,
    say,
    say_json,
    shell,
    table,
    titled,
)
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from cli.vendor_exports.missing_hours import SlotPlan, SlotRoot, State, compare_buckets, source_root
from cli.vendor_exports.slot_copies import Outcome, SlotCopier
from cli.vendor_exports.slots import LastOption, environment_of, slot_named, slots_of
from sluice.observability.formatting import size
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.model import Slot, newest_settled

_MOST_FILES = 20  # files named one by one
_MOST_SLOTS = 5  # slots named one by one
_MOST_RANGES = 50  # rows of the table
_STYLES = {State.MISSING: "green", State.PARTIAL: "yellow", State.DIFFERING: "red"}


@dataclass(frozen=True, slots=True)
class Backfill:
    """The plans for the slots of another bucket; `outcomes` is None as long as nothing was copied."""

    environment: Environment
    source: SlotRoot
    lake: SlotRoot
    plans: list[SlotPlan]
    ignored: int
    outcomes: list[Outcome] | None = None

    @property
    def wanted(self) -> list[SlotPlan]:
        """The slots with files to copy."""
        return [plan for plan in self.plans if plan.files]

    @property
    def failed(self) -> list[Outcome]:
        """The files that could not be copied, in order of keys."""
        return sorted((outcome for outcome in self.outcomes or () if outcome.problem), key=lambda outcome: outcome.key)

    @property
    def changed(self) -> list[Slot]:
        """The slots that files were copied into, in order."""
        return sorted({outcome.slot for outcome in self.outcomes or () if not outcome.problem})

    def document(self) -> dict[str, Any]:
        """Return the document of `sluice history copy-missing --json`: files and bytes to copy, or copied."""
        lost = {(outcome.slot, outcome.file) for outcome in self.failed}
        slots = []
        for plan in self.plans:
            sizes = [file.size for file in plan.files if (plan.slot, file) not in lost]
            state = {"slot": str(plan.slot), "state": plan.state.value, "files": len(sizes), "bytes": sum(sizes)}
            alone = {"differing": plan.differing, "only_here": plan.only_here, "left": plan.left}
            slots.append(state | alone)
        return {
            "environment": self.environment.value,
            "source": self.source.url,
            "copied": self.outcomes is not None,
            "slots": slots,
            "files": sum(slot["files"] for slot in slots),
            "bytes": sum(slot["bytes"] for slot in slots),
            "ignored": self.ignored,
            "failed": {outcome.key: outcome.problem for outcome in self.failed},
        }


@handled
def copy_missing(
    source: Annotated[str, typer.Option(help="s3://bucket or s3://bucket/prefix/ of the same flow.")],
    first: Annotated[str | None, typer.Option("--from", help="First hour, UTC, as YYYYMMDD-HH.")] = None,
    last: LastOption = None,
    yes: Annotated[bool, typer.Option("--yes", help="Copy; without it, only say what there is to copy.")] = False,
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Copy hours that our lake lacks from another bucket that has them.

    Only says what it would copy, unless --yes is given. The files go from
    bucket to bucket inside S3. Test and Prod are never mixed, no file is
    ever replaced, and an hour that both have differently is left alone, with
    the names of the files that differ. Content is compared by S3's checksums,
    or byte by byte. Running it again completes what was interrupted.

    Examples:
        sluice history copy-missing --source s3://old-bucket --stage prd
        sluice history copy-missing --source s3://old/IMOS/Hourly/ --yes
    """
    deployment = connect(stage)
    found = find_missing(deployment, source, slot_named(first), slot_named(last))
    if not as_json:
        _show_found(found)
    if yes:
        found = copy_found(deployment, found)
        _show_copied(found, stage)
    elif found.wanted:
        say("Nothing was copied: this was a dry run. Add --yes to copy.")
    if as_json:
        say_json(found.document())
    if found.failed:
        raise typer.Exit(1)


def find_missing(deployment: Deployment, source: str, first: Slot | None, last: Slot | None) -> Backfill:
    """Compare another bucket with the stage's lake, no further than the newest hour that is over.

    Raises:
        CliError: The source is not in S3, or of another flow; or the range is empty.
    """
    environment, lake = environment_of(deployment), lake_of(deployment)
    place = source_root(source, environment, lake)
    newest = newest_settled(datetime.now(UTC))
    last = min(last or newest, newest)
    if first is not None and first > last:
        raise CliError(f"There is no hour from {first} to {last}.", f"The newest hour that is over is {newest}.")
    return Backfill(environment, place, lake, *compare_buckets(deployment.s3, place, lake, first, last))


def copy_found(deployment: Deployment, found: Backfill) -> Backfill:
    """Copy the files of the plans; return the backfill with the outcome of every file."""
    slots = slots_of(deployment)

    def is_busy(slot: Slot) -> bool:
        return slots.is_leased(found.environment, slot, datetime.now(UTC))

    with progress() as shown:
        task = shown.add_task("Copied files", total=sum(len(plan.files) for plan in found.wanted))
        copier = SlotCopier(deployment.s3, found.source, found.lake, is_busy, lambda: shown.advance(task))
        return replace(found, outcomes=copier.run(found.wanted))


def lake_of(deployment: Deployment) -> SlotRoot:
    """Return the root of the stage's own slots."""
    return SlotRoot(deployment.output("LakeBucket"), environment_of(deployment).hourly)


def _show_found(found: Backfill) -> None:
    if not found.plans:
        out.print(f"{found.source.url} holds no hour of that range.", highlight=False)
    elif all(plan.state is State.SAME for plan in found.plans):
        out.print(f"{found.source.url} has nothing that the lake lacks.", highlight=False)
    else:
        out.print(_table(found), highlight=False)
        _show_differing(found)
    if found.ignored:
        say(f"{plural(found.ignored, 'object')} there ignored: no file of an hour.")


def _show_differing(found: Backfill) -> None:
    """Name the files of the slots that are left alone."""
    plans = [plan for plan in found.plans if plan.state is State.DIFFERING]
    for plan in plans[:_MOST_SLOTS]:
        kinds = {"differ": plan.differing, "only in the lake": plan.only_here, "only there, not copied": plan.left}
        for kind, names in kinds.items():
            if names:
                more = f" and {len(names) - _MOST_FILES:,} more" if len(names) > _MOST_FILES else ""
                text = f"{plan.slot} {kind}: {escape(', '.join(names[:_MOST_FILES]))}{more}"
                out.print(text, highlight=False, soft_wrap=True)
    if plans:
        count = plural(len(plans), "slot")
        say(f"{count} left alone: the lake has other files. --json names all; *Gaps* in docs/runbook.md says more.")


def _show_copied(found: Backfill, stage: str) -> None:
    failed, document = found.failed, found.document()
    say(f"{plural(document['files'], 'file')}, {size(document['bytes'])} copied.")
    for outcome in failed[:_MOST_FILES]:
        err.print(f"  [red]failed[/] {escape(outcome.key)}: {escape(outcome.problem)}", highlight=False)
    if failed:
        count = plural(len(failed), "file")
        say(f"{count} failed; --json lists them all. Running it again copies them, but where other files lie by then.")
    if changed := found.changed:
        # Not `update`: it looks at no hour before the first that the histories know.
        hours = ("--from", str(changed[0]), "--to", str(changed[-1]))
        say(f"The histories know of it after `{escape(shell('sluice', 'history', 'init', '--stage', stage, *hours))}`.")


def _table(found: Backfill) -> RenderableType:
    """Return the table of what there is to copy: neighbouring slots of one state are one row."""
    ranges = list(_ranges(found.plans))
    rows = [_row(plans) for plans in ranges[:_MOST_RANGES]]
    if (more := len(ranges) - _MOST_RANGES) > 0:
        rows.append(["", f"and {plural(more, 'range')} more; --json lists every slot"])
    numbers = (Column(header, justify="right") for header in ("Hours", "Files to copy", "Size", "Files that differ"))
    files = sum(len(plan.files) for plan in found.plans)
    title = f"{found.environment}, {found.source.url}: {plural(len(found.wanted), 'slot')}, {plural(files, 'file')}"
    return titled(f"{title}, {_size(found.plans)} to copy", table("State", "Slots", *numbers, rows=rows))


def _ranges(plans: Sequence[SlotPlan]) -> Iterator[list[SlotPlan]]:
    """Yield runs of slots, hour after hour, of one state; slots that are the same are left out."""
    listed = enumerate(plan for plan in plans if plan.state is not State.SAME)
    for _, run in groupby(listed, key=lambda found: (found[1].state, found[1].slot.after(-found[0]))):
        yield [plan for _, plan in run]


def _row(plans: Sequence[SlotPlan]) -> list[str]:
    first, last, state = plans[0].slot, plans[-1].slot, plans[0].state
    files = sum(len(plan.files) for plan in plans)
    conflicts = sum(len(plan.differing + plan.only_here) for plan in plans)
    return [
        f"[{_STYLES[state]}]{state}[/]",
        str(first) if first == last else f"{first} … {last}",
        f"{len(plans):,}",
        f"{files:,}" if files else "-",
        _size(plans) if files else "-",
        f"{conflicts:,}" if conflicts else "-",
    ]


def _size(plans: Sequence[SlotPlan]) -> str:
    return size(sum(plan.bytes for plan in plans))
