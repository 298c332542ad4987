"""Where output goes: results to standard output, everything else to standard error."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

# Without a terminal rich assumes 80 columns and cuts what does not fit; a pipe or a file has room.
_PIPE_COLUMNS = 200


def _columns(*, is_terminal: bool) -> int | None:
    return None if is_terminal else _PIPE_COLUMNS


out = Console(width=_columns(is_terminal=sys.stdout.isatty()))
err = Console(width=_columns(is_terminal=sys.stderr.isatty()), stderr=True)


def say(text: str) -> None:
    """Tell the operator what is happening, on standard error."""
    err.print(text, highlight=False)


def say_json(document: Any) -> None:  # noqa: ANN401 - any JSON value
    """Print the one JSON document of a command on standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def titled(title: str, table: Table) -> RenderableType:
    """A table under its title; rich's own title is broken to the table's width."""
    return Group(f"[bold]{title}[/]", table)


def whole(header: str) -> Column:
    """A column of what people copy: others give way to it."""
    return Column(header, no_wrap=True)


def words(header: str) -> Column:
    """A column of sentences: they are broken where they must be, and never cut."""
    return Column(header, overflow="fold")


def progress() -> Progress:
    """A progress display on standard error that leaves nothing behind."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    return Progress(*columns, console=err, transient=True, disable=not err.is_terminal)


def plural(count: int, noun: str) -> str:
    """A number with its noun, as in ``1 file`` or ``2,000 files``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
