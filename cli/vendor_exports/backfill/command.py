"""`sluice history copy-missing`: back-fill the lake from another bucket."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape

from cli.platform.console import err, out, plural, progress, say, say_json
from cli.platform.errors import CliError, handled
from cli.platform.options import JsonOption, StageOption, slot_named
from cli.platform.session import LOCAL, Deployment, connect
from cli.vendor_exports.backfill import report
from cli.vendor_exports.backfill.copying import Copying
from cli.vendor_exports.backfill.finding import Finder
from cli.vendor_exports.backfill.leases import lease_reader
from cli.vendor_exports.backfill.missing_hours import State
from cli.vendor_exports.backfill.objects import ObjectCopier
from cli.vendor_exports.backfill.places import Place, source_place
from cli.vendor_exports.backfill.report import Backfill
from cli.vendor_exports.exports import environment_of
from sluice.vendor_exports.delivery.slots import Slot, newest_settled

_NAMED = 20  # files named one by one
_FEW = 5  # slots named one by one


@handled
def copy_missing(
    source: Annotated[str, typer.Option(help="s3://bucket or s3://bucket/prefix/ of the same flow.")],
    first: Annotated[str | None, typer.Option("--from", help="First hour, UTC, as YYYYMMDD-HH.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last hour; the newest that is over unless given.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Copy; without it, only say what there is to copy.")] = False,
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Copy hours that our lake lacks from another bucket that has them.

    Only says what it would copy, unless --yes is given. The files go from
    bucket to bucket inside S3. Test and Prod are never mixed, no file is
    ever replaced, and an hour that both have differently is reported and
    left alone. Running it again completes what was interrupted.

    Examples:
        sluice history copy-missing --source s3://old-bucket --stage prd
        sluice history copy-missing --source s3://old/IMOS/Hourly/ --yes
    """
    deployment = connect(stage)
    found = find_missing(deployment, source, slot_named(first), slot_named(last))
    if not as_json:
        _show(found)
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
        CliError: The source is none, or of another flow; or the range is empty.
    """
    environment, lake = environment_of(deployment), lake_of(deployment)
    place = source_place(source, environment, lake)
    newest = newest_settled(datetime.now(UTC))
    last = min(last or newest, newest)
    if first is not None and first > last:
        raise CliError(f"There is no hour from {first} to {last}.", f"The newest hour that is over is {newest}.")
    with progress() as shown:
        task = shown.add_task("Compared days", total=None)
        finding = Finder(deployment.s3, place, lake, first, last).find(
            lambda done, days: shown.update(task, completed=done, total=days)
        )
    return Backfill(environment, place, finding.plans, finding.ignored)


def copy_found(deployment: Deployment, found: Backfill) -> Backfill:
    """Copy what was found; the answer knows what became of every file."""
    lake, is_busy = lake_of(deployment), lease_reader(deployment)
    copying = Copying(ObjectCopier(deployment.s3), found.source, lake, is_busy)
    with progress() as shown:
        task = shown.add_task("Copied files", total=sum(len(plan.files) for plan in found.wanted))
        outcomes = copying.run(found.wanted, lambda: shown.advance(task))
    return Backfill(found.environment, found.source, found.plans, found.ignored, tuple(outcomes))


def lake_of(deployment: Deployment) -> Place:
    """Where the stage's own slots lie."""
    return Place(deployment.output("LakeBucket"), environment_of(deployment).hourly)


def _show(found: Backfill) -> None:
    if not found.plans:
        out.print(f"{found.source.url} holds no hour of that range.", highlight=False)
    elif all(plan.state is State.SAME for plan in found.plans):
        out.print(f"{found.source.url} has nothing that the lake lacks.", highlight=False)
    else:
        out.print(report.table(found), highlight=False)
    if found.ignored:
        say(f"{plural(found.ignored, 'object')} there ignored: no file of an hour.")


def _show_copied(found: Backfill, stage: str) -> None:
    failed, document = found.failed, found.document()
    say(f"{plural(document['files'], 'file')}, {document['bytes'] / 1e6:,.1f} MB copied.")
    for outcome in failed[:_NAMED]:
        err.print(f"  [red]failed[/] {escape(outcome.key)}: {escape(outcome.problem)}", highlight=False)
    if failed:
        say(f"{plural(len(failed), 'file')} failed; running it again copies them. --json lists them all.")
    if found.changed:
        say(f"The histories know of it after `{_update(found.changed, stage)}`.")


def _update(slots: list[Slot], stage: str) -> str:
    if len(slots) <= _FEW:
        return f"sluice history update --stage {stage} {' '.join(f'--slot {slot}' for slot in slots)}"
    return f"sluice history init --stage {stage} --from {slots[0]} --to {slots[-1]}"
