"""`sluice doctor`: whether ledger, lake, tables and catalog of a stage fit together."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pkgutil import resolve_name
from typing import Annotated

import typer
from rich.markup import escape

from cli.platform.console import JsonOption, handled, out, plural, progress, say, say_json
from cli.platform.deploy import YesOption, confirm
from cli.platform.registry import Check, Finding, pipelines
from cli.platform.session import LOCAL, Deployment, StageOption, connect

_MOST = 500  # findings of a check


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A finding in the document of `sluice doctor --json`."""

    check: str
    kind: str
    place: str
    message: str
    advice: str
    harmless: bool
    repairable: bool
    repaired: bool


@handled
def doctor(
    stage: StageOption = LOCAL,
    repair: Annotated[bool, typer.Option("--repair", help="Repair what can be repaired safely.")] = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare ledger, lake, tables and catalog.

    Looks for chunks without objects, objects without chunks, snapshots whose
    files are gone, files that nothing refers to, and tables with other rows
    than the ledger counts. Runs may go on meanwhile. Everything is read once:
    a large lake takes a while. With --repair, what is safe to be repaired is,
    after a question. Ends with code 1 while something is wrong.

    Examples:
        sluice doctor
        sluice doctor --stage prd --json | jq '.findings[] | select(.harmless | not)'
        sluice doctor --stage dev --repair
    """
    deployment = connect(stage)
    looked_at, found = _examine(_checks(deployment))
    repairable = {each: each.repair for _, each in found if each.repair}
    repaired = _repair(repairable, yes=yes) if repair else []
    wrong = [each for _, each in found if not each.harmless and each not in repaired]
    if as_json:
        findings = [_diagnosis(title, each, repaired) for title, each in found]
        say_json({"checks": looked_at, "findings": findings})
    else:
        _show(looked_at, found, repaired)
        if repairable and not repair:
            say(f"`--repair` repairs {len(repairable):,} of them.")
    if wrong:
        raise typer.Exit(1)


def _checks(deployment: Deployment) -> list[Check]:
    entries = [each.checks for each in pipelines() if each.checks]
    return [check for entry in entries for check in resolve_name(entry)(deployment)]


def _examine(checks: Iterable[Check]) -> tuple[dict[str, int], list[tuple[str, Finding]]]:
    """Return how many things each check looked at, and what they found; of one check, no more than so many findings."""
    looked_at: dict[str, int] = {}
    found: list[tuple[str, Finding]] = []
    with progress() as shown:
        for check in checks:
            looked_at[check.title] = 0
            task = shown.add_task(check.title, total=None)

            def count(title: str = check.title, advance: Callable[..., None] = shown.advance, task: int = task) -> None:
                looked_at[title] += 1
                advance(task)

            found += ((check.title, each) for each in islice(check.find(count), _MOST))
            shown.remove_task(task)
    return looked_at, found


def _repair(repairs: Mapping[Finding, Callable[[], None]], *, yes: bool) -> list[Finding]:
    for each in repairs:
        say(f"  {escape(each.place)}: {escape(each.message)}")
    if repairs:
        confirm(f"Repair {plural(len(repairs), 'finding')}?", yes=yes)
    for repair in repairs.values():
        repair()
    return list(repairs)


def _diagnosis(check: str, found: Finding, repaired: Sequence[Finding]) -> Diagnosis:
    return Diagnosis(
        check,
        found.kind,
        found.place,
        found.message,
        found.advice,
        found.harmless,
        found.repair is not None,
        found in repaired,
    )


def _show(looked_at: dict[str, int], found: Sequence[tuple[str, Finding]], repaired: Sequence[Finding]) -> None:
    for title, number in looked_at.items():
        findings = [each for check, each in found if check == title]
        mark = "[green]✓[/]" if all(each.harmless or each in repaired for each in findings) else "[red]✗[/]"
        out.print(f"{mark} {title}  [dim]{number:,} looked at[/]", highlight=False)
        for each in findings:
            style = "green" if each in repaired else "yellow" if each.harmless else "red"
            text = f"  [{style}]{each.kind}[/]  [bold]{escape(each.place)}[/]  {escape(each.message)}"
            out.print(text, highlight=False, soft_wrap=True)
            done = "Repaired." if each in repaired else each.advice
            out.print(f"    {escape(done)}", highlight=False, soft_wrap=True)
        if len(findings) == _MOST:
            out.print("  … and maybe more: repair these, then look again.")
