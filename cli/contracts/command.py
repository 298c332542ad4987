"""`sluice contract`: check, draft and illustrate the contracts of the tables."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.contracts.check import check_registry
from cli.contracts.drafting import Draft
from cli.contracts.inference import infer_contracts
from cli.contracts.recorded_types import record_types
from cli.contracts.samples import write_samples
from cli.platform.console import CliError, JsonOption, err, handled, plural, say, say_json
from sluice.contracts.load import TABLES, load_registry
from sluice.contracts.model import Contract
from sluice.event_files.ledger.model import Reason
from sluice.event_files.validate.content import ContentTooLargeError, content_of
from sluice.event_files.validate.records import MAX_EVENT_BYTES
from sluice.event_files.validate.splitter import split

app = typer.Typer(no_args_is_help=True, help="Contracts: what an event must look like, and what its table holds.")

_MOST_BYTES = 256 * 1024 * 1024


@app.command()
@handled
def check(as_json: JsonOption = False) -> None:
    """Check every contract. Exit code 1 when one has a problem.

    Examples:
        sluice contract check
    """
    problems = check_registry()
    if as_json:
        say_json(problems)
    for problem in problems:
        err.print(f"[red]{escape(problem.table)}[/] {escape(problem.message)}", highlight=False)
    if problems:
        raise typer.Exit(1)
    say(f"{plural(len(load_registry().contracts), 'contract')} checked; all hold together.")


@app.command()
@handled
def infer(
    files: Annotated[list[Path], typer.Argument(help="Event files, as delivered.")],
    into: Annotated[
        Path | None, typer.Option(help="Write the drafts there, as <family>/<TABLE>/{schema,table}.json.")
    ] = None,
) -> None:
    """Draft a contract for every service and kind of event that the files hold.

    A source that no family claims becomes a family: its detail-type names the
    service, until you say otherwise in its family.json. Each draft is run over
    its own samples; what it would make dirty, and what no column of it holds,
    is said. Read it, correct it, document it.

    Without --into the drafts are printed as JSON. A table that has a folder
    there already is left alone.

    Examples:
        sluice contract infer events/* | jq '.[].table'
        sluice contract infer events/* --into layers/sluice/contracts/tables
    """
    fragments: Counter[str] = Counter()
    found = infer_contracts(_events(files, fragments), TABLES, *([into] if into else []))
    for reason, count in (fragments + found.passed_over).items():
        err.print(f"Passed over {plural(count, 'piece')}: {escape(reason)}.", highlight=False)
    if not found.drafts:
        raise CliError(
            "The files hold no event that names what it is.",
            "Name files of EventBridge events: source and detail-type are texts, detail is an object.",
        )
    if into is None:
        say_json(found.drafts)
    else:
        for draft in found.drafts:
            _write(draft, into)
    if unusable := [draft.table for draft in found.drafts if not draft.is_usable]:
        raise CliError(
            f"No contract can be drafted for {', '.join(unusable)}: see above.",
            "Correct the family's schema or its family.json, or name other samples.",
        )


def _write(draft: Draft, into: Path) -> None:
    """Write a draft and say what it does with its own samples."""
    if draft.is_usable:
        try:
            say(f"Drafted {draft.write(into)} from {plural(draft.samples, 'event')}, {draft.clean} of them clean.")
        except FileExistsError:
            say(f"{draft.table} has a contract already; it was left alone.")
            return
    for message in draft.problems:
        err.print(f"[red]{draft.table}[/] {escape(message)}", highlight=False)
    for message, count in draft.dirty.items():
        err.print(f"[red]{draft.table}[/] {plural(count, 'sample')} would be dirty: {escape(message)}", highlight=False)
    for place, count in draft.rescued.items():
        say(f"  no column holds {place} of {plural(count, 'sample')}; _rescued does")


def _events(files: list[Path], passed_over: Counter[str]) -> Iterator[bytes]:
    for path in files:
        try:
            content = content_of(path.read_bytes(), _MOST_BYTES)
        except OSError as error:
            raise CliError(f"{path} cannot be read: {error.strerror}.", "Name files that can be read.") from error
        except ContentTooLargeError as error:
            raise CliError(f"{path} is too large to be a sample.", f"Cut it to {_MOST_BYTES:,} bytes.") from error
        if content.unread:
            err.print(f"{path}: {escape(content.unread[0].message)}", highlight=False)
        for piece in split(content.data, MAX_EVENT_BYTES):
            if piece.event is None:
                passed_over[f"no event, in {path} ({piece.flaw or Reason.FRAGMENT})"] += 1
            else:
                yield bytes(content.data[piece.start : piece.end])


@app.command()
@handled
def samples(
    table: Annotated[str, typer.Argument(help="The table, e.g. MICROONE_EVENT.")],
) -> None:
    """Write the sample events of a table anew: clean.json and dirty.json beside its schema.

    Examples:
        sluice contract samples MICROONE_EVENT
    """
    contract, folder = _found(table)
    write_samples(contract, folder)
    say(f"Wrote clean.json and dirty.json in {folder}.")


@app.command()
@handled
def record(
    table: Annotated[str, typer.Argument(help="The table, e.g. MICROONE_EVENT.")],
) -> None:
    """Record the types of a table's columns, before its version goes live.

    From then on check refuses another type under the same version: the files
    that were written keep theirs.

    Examples:
        sluice contract record MICROONE_EVENT
    """
    contract, folder = _found(table)
    record_types(contract, folder)
    say(f"Recorded the column types of {table}, version {contract.version}.")


def _found(table: str) -> tuple[Contract, Path]:
    contracts = {contract.table: contract for contract in load_registry().contracts}
    if table not in contracts:
        raise CliError(f"There is no contract of a table {table}.", f"There are {', '.join(sorted(contracts))}.")
    return contracts[table], TABLES / contracts[table].family.name / table
