"""`sluice convert`: turn the clean events that wait into Parquet, and say what came of it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.table import Table

from cli.event_files.conversion import CONVERTED, Conversion, failure, run_conversion
from cli.platform.console import err, out, plural, say_json, titled
from cli.platform.errors import handled, report
from cli.platform.options import JsonOption, StageOption
from cli.platform.session import LOCAL, connect


@handled
def convert(
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for the run to end.")] = 900.0,
) -> None:
    """Turn the clean events that wait into Parquet.

    Starts the Convert machine, waits for its end and prints the run's
    summary. When another run is at work it waits for that one first.
    Exit code 0: converted, or nothing was waiting.

    Examples:
        sluice convert
        sluice convert --stage dev --json | jq .rows
    """
    deployment = connect(stage)
    with err.status("Converting …"):
        conversion, outcome = run_conversion(deployment, timeout)
    show(conversion, as_json=as_json)
    if unfinished := failure(deployment, conversion, outcome):
        report(unfinished, as_json=False)
        raise typer.Exit(1)


def show(conversion: Conversion, *, as_json: bool) -> None:
    """Print a run's summary."""
    if as_json:
        say_json(asdict(conversion))
    elif conversion.status == CONVERTED:
        out.print(_table(conversion))
    else:
        out.print(f"Conversion: {conversion.status.replace('_', ' ')}.")


def _table(conversion: Conversion) -> RenderableType:
    shown = Table("Table")
    shown.add_column("Rows", justify="right")
    for name, count in sorted(conversion.rows.items()):
        shown.add_row(name, f"{count:,}")
    rows, files = plural(sum(conversion.rows.values()), "row"), plural(conversion.files, "file")
    parquet = plural(conversion.parquet_files, "Parquet file")
    return titled(f"{rows} from {files}, in {parquet} ({conversion.seconds:.1f} s, run {conversion.run_id})", shown)
