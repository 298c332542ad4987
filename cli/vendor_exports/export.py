"""`sluice export`: have the vendor export the present hour, and fetch it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.platform.console import err, out, plural, say_json, titled
from cli.platform.errors import CliError, handled, report
from cli.platform.options import JsonOption, SlotOption, StageOption, slot_named
from cli.platform.session import LOCAL, connect
from cli.vendor_exports.exports import SKIPPED, Export, run_export
from sluice.vendor_exports.delivery.model import DELIVERED

_SHOWN = 20  # missing files of a table people read


@handled
def export(
    stage: StageOption = LOCAL,
    slot: SlotOption = None,
    vendor_url: Annotated[
        str, typer.Option(help="Another vendor, local stage only: `sluice vendor` starts a simulator.")
    ] = "",
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the export to end.")] = 18_000.0,
) -> None:
    """Have the vendor export the present hour, and fetch every file of it.

    Starts the Export machine, waits for its end and prints what arrived. The
    slot of another hour is copied again from its own job: only what differs
    or is missing. Exit code 0: delivered, every file proven to be there.

    Examples:
        sluice export --vendor-url http://127.0.0.1:4580
        sluice export --stage prd --slot 20261122-04
        sluice export --stage dev --json | jq .missing
    """
    deployment = connect(stage)
    with err.status("Exporting: the vendor takes its time …"):
        found = run_export(deployment, timeout, slot_named(slot), vendor_url)
    show(found, as_json=as_json)
    if found.account.status != DELIVERED:
        report(_undelivered(found), as_json=False)
        raise typer.Exit(1)


def show(found: Export, *, as_json: bool) -> None:
    """Print what an export did."""
    account = found.account
    if as_json:
        say_json(found.document())
        return
    if account.status == SKIPPED:
        return
    copied = f"{account.copied:,} of {plural(account.promised, 'promised file')} copied"
    again = f", {account.refetched:,} of them by a second address" if account.refetched else ""
    title = f"Slot {account.slot}: {account.status}, {copied}{again}, {account.bytes / 1e6:,.1f} MB"
    out.print(f"[bold]{title}[/] ({found.seconds:.1f} s)\n{account.folder}", highlight=False)
    if account.missing:
        out.print(titled(f"{plural(len(account.missing), 'file')} missing", _missing(found)))


def _missing(found: Export) -> Table:
    shown = Table("File", "Why")
    for name in found.account.missing[:_SHOWN]:
        shown.add_row(escape(name), escape(found.account.reasons.get(name, "")))
    if (more := len(found.account.missing) - _SHOWN) > 0:
        shown.add_row(f"and {more:,} more", "")
    return shown


def _undelivered(found: Export) -> CliError:
    account = found.account
    if account.status == SKIPPED:
        return CliError(f"Slot {account.slot}: {account.cause}.", "`sluice status` shows the runs; wait for its end.")
    cause = account.cause.rstrip(".")
    return CliError(f"Slot {account.slot} is incomplete: {cause}.", _advice(found))


def _advice(found: Export) -> str:
    if not found.account.missing:
        return "docs/runbook.md says what to do about it."
    return f"`sluice export --slot {found.account.slot}` copies what is missing; docs/runbook.md says more."
