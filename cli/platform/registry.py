"""Registrations of pipelines with the command line, which `cli.pipelines` lists."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pkgutil import resolve_name
from typing import Any

import typer
from rich.table import Table

from cli.pipelines import PIPELINES

DEPLOYMENTS, DATA, SAMPLES = PANELS = ("Deployments", "Data", "Contracts and samples")


@dataclass(frozen=True, slots=True)
class Command:
    """A command of `sluice`, or a group of commands.

    Attributes:
        entry_point: The command's function or the group's `typer.Typer`, as ``module:name``.
        panel: The panel of `sluice --help` that lists it.
        position: Its place there: low numbers first, groups after all commands.
        name: The command's name; that of the function if it is left out.
    """

    entry_point: str
    panel: str
    position: int
    name: str | None = None

    def add_to(self, app: typer.Typer) -> None:
        """Resolve the entry point and make it a command of `app`."""
        found = resolve_name(self.entry_point)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=self.name, rich_help_panel=self.panel)
        else:
            app.command(self.name, rich_help_panel=self.panel)(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineStatus:
    """A pipeline's part of `sluice status`.

    Attributes:
        members: Its members of the JSON document.
        lines: Printed first, in rich's markup.
        tables: Printed below, by title; those without rows are left out.
    """

    members: Mapping[str, Any]
    lines: tuple[str, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Tells what does not fit together in a stage.

    Attributes:
        kind: What it is, in a word or two, the same for each of its kind.
        place: What it was found at: a chunk, a table, an object.
        message: What was found.
        advice: What to do about it.
        harmless: Whether nothing is lost, doubled or wrong by it.
        repair: Repairs it, where that is safe.
    """

    kind: str
    place: str
    message: str
    advice: str
    harmless: bool = False
    repair: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """A comparison that `sluice doctor` makes; `find` is given what to call for each thing that it looked at."""

    title: str
    find: Callable[[Callable[[], None]], Iterator[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineCli:
    """The command line of a pipeline; entry points are ``module:name`` and resolved when they are needed.

    Attributes:
        commands: Its commands.
        status: Entry point of ``(Deployment) -> PipelineStatus``.
        headlines: By kind of run, what the counts of a run say in a few words, for `sluice runs`.
        executions: Entry point of ``(Deployment, name) -> Iterable[ARN]``: the executions that `name` may mean to
            `sluice run`, besides those of that very name.
        checks: Entry point of ``(Deployment) -> Iterable[Check]``: its part of `sluice doctor`.
    """

    commands: tuple[Command, ...] = ()
    status: str = ""
    headlines: Mapping[str, Callable[[Mapping[str, int]], str]] = field(default_factory=dict)
    executions: str = ""
    checks: str = ""


@cache
def pipelines() -> tuple[PipelineCli, ...]:
    """Return what the pipelines have registered."""
    return tuple(map(resolve_name, PIPELINES))
