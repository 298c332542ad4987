"""`sluice contract`: check, draft and illustrate the contracts of the tables."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.contracts.check import check_registry
from cli.contracts.inference import infer_contracts
from cli.contracts.recorded_types import record_types
from cli.contracts.samples import write_samples
from cli.platform.console import CliError, JsonOption, err, handled, plural, say, say_json
from sluice.contracts.load import TABLES, load_registry
from sluice.contracts.model import Contract
from sluice.event_files.validate.content import ContentTooLargeError, content_of
from sluice.event_files.validate.routing import MAX_EVENT_BYTES
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

    A draft says what the samples show; read it, correct it, document it.
    Without --into the drafts are printed as JSON. A table that has a folder
    there already is left alone.

    Examples:
        sluice contract infer events/* | jq '.[].table'
        sluice contract infer events/* --into layers/sluice/contracts/tables
    """
    drafts = infer_contracts(_events(files))
    if not drafts:
        sources = ", ".join(family.source for family in load_registry().families)
        raise CliError(
            f"The files hold no event that has a known source ({sources}) and names its service.",
            "Name other files; for other producers, make a folder with a family.json first.",
        )
    if into is None:
        say_json(drafts)
        return
    for draft in drafts:
        try:
            say(f"Drafted {draft.write(into)} from {plural(draft.samples, 'event')}.")
        except FileExistsError:
            say(f"{draft.table} has a contract already; it was left alone.")


def _events(files: list[Path]) -> Iterator[dict[str, Any]]:
    for path in files:
        try:
            content = content_of(path.read_bytes(), _MOST_BYTES)
        except OSError as error:
            raise CliError(f"{path} cannot be read: {error.strerror}.", "Name files that can be read.") from error
        except ContentTooLargeError as error:
            raise CliError(f"{path} is too large to be a sample.", f"Cut it to {_MOST_BYTES:,} bytes.") from error
        if content.unread:
            say(f"{path}: {content.unread[0].message}")
        yield from (piece.event for piece in split(content.data, MAX_EVENT_BYTES) if piece.event)


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
    return contracts[table], TABLES / contracts[table].family / table
