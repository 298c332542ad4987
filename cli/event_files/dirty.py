"""`sluice dirty`: what became no row, and why: grouped, one by one, and as files to repair."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from heapq import nlargest
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Column

from cli.event_files.dirty_export import export_records
from cli.event_files.dirty_selection import (
    FileOption,
    ReasonOption,
    RuleOption,
    SinceOption,
    TableOption,
    UntilOption,
    in_words,
    selection,
)
from cli.event_files.dirty_text import marked
from cli.platform.console import JsonOption, handled, out, plural, print_result, say, table, wrapped_column
from cli.platform.session import LOCAL, StageOption, connect

_MOST_GROUPS = 10_000  # pointers may be what somebody made up
_INDEX = re.compile(r"/[0-9]+(?=/|$)")
_GROUPED = ("table_name", "reason", "rule", "pointer", "producer_version")
_SHOWN = (*_GROUPED, "id", "first_seen", "source_bucket", "source_key", "source_etag", "source_offset", "source_length")
_TEXT = ("errors", "pieces", "service", "event_id", "contract_version", "raw", "raw_base64")

app = typer.Typer(help="What became no row, and why.")


@dataclass(slots=True)
class Group:
    """Dirty pieces that are alike; `pointer` has * for the places in lists, `file` and `id` are of a sample."""

    table: str | None
    reason: str
    rule: str | None
    pointer: str | None
    producer_version: str | None
    why: str
    file: str
    id: str
    count: int = 0
    records: int = 0
    first_seen: str = ""
    last_seen: str = ""


@app.callback(invoke_without_command=True)
@handled
def dirty(  # noqa: PLR0913, PLR0917 - options
    context: typer.Context,
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    table_name: TableOption = "",
    reason: ReasonOption = "",
    rule: RuleOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    file: FileOption = "",
) -> None:
    """Show what became no row: grouped by table, reason, rule, pointer and producer's version.

    It is what runs of Convert have put into the table DIRTY_EVENTS; a large
    one is faster in SQL: `sluice query` reads it, too.

    Examples:
        sluice dirty
        sluice dirty --table MICROTHREE_EVENT --since 2026-11-30 --json
        sluice dirty show --reason RULE_BROKEN --rule enum
        sluice dirty export --table MICROTHREE_EVENT --to repair/
    """
    if context.invoked_subcommand:
        return
    wanted = selection(table_name, reason, rule, since, until, file)
    columns = (*_GROUPED, "id", "first_seen", "source_key", "errors", "pieces")
    groups = _groups(wanted.read(connect(stage), *columns))
    print_result([_document(each) for each in groups], _show_groups, as_json=as_json)


def _groups(records: Iterable[dict[str, Any]]) -> list[Group]:
    found: dict[tuple[str | None, ...], Group] = {}
    for record in records:
        pointer = record["pointer"] and _INDEX.sub("/*", record["pointer"])
        key = (record["table_name"], record["reason"], record["rule"], pointer, record["producer_version"])
        if key not in found and len(found) >= _MOST_GROUPS:
            pointer = None
            key = (*key[:3], None, None)
        if key not in found:
            why = in_words(record["reason"], next(iter(record["errors"] or ()), None))
            found[key] = Group(*key[:2], key[2], pointer, key[4], why, record["source_key"], record["id"])
        _count(found[key], record)
    return sorted(found.values(), key=lambda group: (-group.count, group.id))


def _count(group: Group, record: dict[str, Any]) -> None:
    seen = f"{record['first_seen']:%Y-%m-%dT%H:%M:%SZ}"
    group.count += record["pieces"]
    group.records += 1
    group.first_seen = min(group.first_seen or seen, seen)
    group.last_seen = max(group.last_seen, seen)


def _document(group: Group) -> dict[str, Any]:
    return asdict(group)


def _show_groups(groups: Sequence[dict[str, Any]]) -> None:
    rows = (
        (
            f"{each['count']:,}",
            escape(each["table"] or "-"),
            f"[red]{escape(each['reason'])}[/]",
            escape(f"{each['pointer'] or ''}: {each['why']}".removeprefix(": ")),
            escape(each["producer_version"] or ""),
            f"{each['first_seen'][:16]}\n{each['last_seen'][:16]}",
            escape(each["file"]),
        )
        for each in groups
    )
    headers = ("Table", "Reason", wrapped_column("What is wrong"), "Version", "First, last seen", wrapped_column("In"))
    if groups:
        out.print(table(Column("Pieces", justify="right"), *headers, rows=rows))
        say("Texts: `sluice dirty show`. Files to repair: `sluice dirty export --to DIR`.")
    else:
        out.print("Nothing is dirty, as far as it is converted.")


@app.command()
@handled
def show(  # noqa: PLR0913, PLR0917 - options
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    table_name: TableOption = "",
    reason: ReasonOption = "",
    rule: RuleOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    file: FileOption = "",
    rows: Annotated[int, typer.Option(min=1, max=1000, help="How many are shown, those seen last first.")] = 5,
) -> None:
    """Show dirty records with what is wrong in them marked.

    Of a large event the members around the marked ones are shown, and others
    are cut; --json has the whole text.

    Examples:
        sluice dirty show --table MICROTHREE_EVENT --rule enum
        sluice dirty show --file events/part-0007.json --rows 20 --json
    """
    deployment, wanted = connect(stage), selection(table_name, reason, rule, since, until, file)
    newest = nlargest(rows, ((each["first_seen"], each["id"]) for each in wanted.read(deployment, "id", "first_seen")))
    ids = [id_ for _, id_ in newest]
    read = wanted.read(deployment, *_SHOWN, *_TEXT, ids=frozenset(ids)) if ids else ()
    found = {each["id"]: {**each, "first_seen": f"{each['first_seen']:%Y-%m-%dT%H:%M:%SZ}"} for each in read}
    print_result([found[each] for each in ids if each in found], _show_records, as_json=as_json)


def _show_records(records: Sequence[dict[str, Any]]) -> None:
    for record in records:
        title = f"[bold]{escape(record['table_name'] or '-')}[/] [red]{escape(record['reason'])}[/]"
        place = f"{record['source_key']}, byte {record['source_offset']:,}, {plural(record['source_length'], 'byte')}"
        out.print(f"{title} {escape(place)}", highlight=False, soft_wrap=True)
        out.print(f"  [dim]{record['id']}, seen {record['first_seen']}[/]", highlight=False, soft_wrap=True)
        for error in record["errors"] or (None,):
            pointer = escape(error["pointer"] if error else "")
            why = escape(in_words(record["reason"], error))
            out.print(f"  [red]✗[/] [bold]{pointer}[/] {why}", highlight=False, soft_wrap=True)
        out.print(marked(record))
        out.print()
    if not records:
        out.print("There is no such dirty record, as far as it is converted.")


@app.command()
@handled
def export(  # noqa: PLR0913, PLR0917 - options
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="A folder that is not there yet, or empty.")],
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    table_name: TableOption = "",
    reason: ReasonOption = "",
    rule: RuleOption = "",
    since: SinceOption = "",
    until: UntilOption = "",
    file: FileOption = "",
) -> None:
    """Write dirty events into files for repair by hand, one event a line.

    A file per table, and beside each `TABLE.origins.jsonl`, which says line by
    line where the event came from: keep both in step. What is no JSON object
    on its own becomes a file of its own in `pieces/`.

    Examples:
        sluice dirty export --table MICROTHREE_EVENT --rule enum --to repair/
    """
    wanted = selection(table_name, reason, rule, since, until, file)
    records = wanted.read(connect(stage), *_SHOWN, *_TEXT)
    print_result(export_records(records, to), lambda found: _show_export(found, to), as_json=as_json)


def _show_export(counts: Counter[str], to: Path) -> None:
    for name, count in sorted(counts.items()):
        out.print(f"{escape(str(to / name))}  {count:,}", highlight=False, soft_wrap=True)
    if not counts:
        out.print("There is no such dirty record, as far as it is converted: nothing was written.")
