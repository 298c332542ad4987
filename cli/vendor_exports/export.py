"""`sluice export`: run the Export machine, wait for its end, and print the result of the slot."""

import time
from dataclasses import asdict, dataclass, replace
from typing import Annotated

import typer
from rich.markup import escape

from cli.platform import machine
from cli.platform.console import (
    CliError,
    JsonOption,
    err,
    fail,
    handled,
    out,
    plural,
    print_result,
    shell,
    table,
    titled,
)
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from cli.vendor_exports.slots import SlotOption, environment_of, secret_advice, slot_named, slots_of
from sluice.http.answers import UrlRefusedError
from sluice.vendor_exports.delivery.model import DELIVERED, INCOMPLETE, ExportResult, Slot

SKIPPED, NOT_SET_UP = "skipped", "not_set_up"
_INCOMPLETE_STATE = "Incomplete"  # the machine's state for a result that is incomplete
_MOST_SHOWN = 20  # missing files


@dataclass(frozen=True, slots=True)
class ExportRun:
    """A run of the Export machine: the result of its slot, and the seconds it took."""

    result: ExportResult
    seconds: float
    execution: str


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
    document = {**asdict(found.result), "seconds": found.seconds, "execution": found.execution}
    print_result(document, lambda _: show(found), as_json=as_json)
    if found.result.status != DELIVERED:
        fail(_undelivered(deployment, found.result))


def show(run: ExportRun) -> None:
    """Print the result of a run."""
    result = run.result
    if result.status in {SKIPPED, NOT_SET_UP}:
        return
    copied = f"{result.copied:,} of {plural(result.promised, 'promised file')} copied"
    again = f", {result.refetched:,} of them by a second URL" if result.refetched else ""
    title = f"Slot {result.slot}: {result.status}, {copied}{again}, {result.bytes / 1e6:,.1f} MB"
    out.print(f"[bold]{title}[/] ({run.seconds:.1f} s)\n{result.folder}", highlight=False)
    if result.missing:
        rows = [(escape(name), escape(result.reasons.get(name, ""))) for name in result.missing[:_MOST_SHOWN]]
        if (more := len(result.missing) - _MOST_SHOWN) > 0:
            rows.append((f"and {more:,} more", ""))
        out.print(titled(f"{plural(len(result.missing), 'file')} missing", table("File", "Why", rows=rows)))


def _undelivered(deployment: Deployment, result: ExportResult) -> CliError:
    if result.status == NOT_SET_UP:
        return CliError(f"Nothing was asked of the vendor: {result.cause}.", secret_advice(deployment))
    if result.status == SKIPPED:
        return CliError(f"Slot {result.slot}: {result.cause}.", "`sluice status` shows the runs; wait for its end.")
    advice = "docs/runbook.md says what to do about it."
    if result.missing:
        again = shell("sluice", "export", "--slot", str(result.slot), "--stage", deployment.stage)
        advice = f"`{again}` copies what is missing; docs/runbook.md says more."
    return CliError(f"Slot {result.slot} is incomplete: {result.cause.rstrip('.')}.", advice)


def run_export(deployment: Deployment, timeout: float, slot: Slot | None = None, vendor_url: str = "") -> ExportRun:
    """Export a slot, the present one unless one is given, and wait for the end.

    Raises:
        CliError: The export was not begun, still runs after `timeout` seconds, or left no result.
    """
    _assert_right_vendor(deployment, vendor_url)
    begun = time.monotonic()
    wanted = ({"slot": str(slot)} if slot else {}) | ({"vendor_url": vendor_url} if vendor_url else {})
    outcome = machine.run(deployment.stepfunctions, deployment.output("ExportMachine"), timeout, wanted)
    return ExportRun(_result(deployment, outcome), round(time.monotonic() - begun, 1), outcome.execution)


def _assert_right_vendor(deployment: Deployment, vendor_url: str) -> None:
    if vendor_url and not deployment.local:
        raise CliError("Only a stage in the local cloud takes another vendor.", "Leave --vendor-url out.")
    if not vendor_url and deployment.local:
        raise CliError("The local cloud has no vendor.", "Start one with `sluice vendor`, then give --vendor-url URL.")
    if vendor_url:
        from sluice.http.url_policy_http import LoopbackPolicy  # noqa: PLC0415 - slow to import

        try:
            LoopbackPolicy().target(vendor_url)
        except UrlRefusedError as error:
            raise CliError(f"--vendor-url {vendor_url}: {error}.", "Such as http://127.0.0.1:4580") from error


def _result(deployment: Deployment, outcome: machine.Outcome) -> ExportResult:
    export = outcome.output.get("export")
    if not export:
        raise CliError(f"The export was not begun: {outcome.cause}", "Nothing was asked of the vendor.")
    environment, slot = environment_of(deployment), Slot.parse(export["slot"])
    if outcome.output.get("decision") == "busy":
        return ExportResult(str(slot), SKIPPED, slot.folder(environment), cause="another run has the slot")
    if outcome.output.get("decision") == NOT_SET_UP:
        return ExportResult(str(slot), NOT_SET_UP, slot.folder(environment), cause="its secret is not put in yet")
    if not outcome.succeeded and outcome.end != _INCOMPLETE_STATE:
        raise CliError(f"{outcome.end or outcome.state}: {outcome.cause}", _look_at(deployment, outcome))
    found = slots_of(deployment).get(environment, slot).result
    if found is None:
        raise CliError(f"The export of {slot} left no result.", _look_at(deployment, outcome))
    if not outcome.succeeded and found.status != INCOMPLETE:  # an earlier run delivered; this one copied nothing
        return replace(found, status=INCOMPLETE, copied=0, refetched=0, bytes=0, cause=outcome.cause)
    return found


def _look_at(deployment: Deployment, outcome: machine.Outcome) -> str:
    return f"Running it again is harmless. Look at {machine.link(deployment, outcome)}"
