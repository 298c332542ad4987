"""`sluice file`: what became of a source object."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from cli.event_files.file_status import EXAMPLES, EXPIRED_STATE, PENDING_STATE, Chunk, Version, whereabouts
from cli.platform.console import out, plural, say_json, titled
from cli.platform.errors import handled
from cli.platform.options import JsonOption, StageOption
from cli.platform.session import LOCAL, connect


@handled
def file(
    key: Annotated[str, typer.Argument(help="The object's key in the source bucket, or s3://BUCKET/KEY.")],
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
) -> None:
    """Show what became of a source object: its events, its reasons, its chunks, its rows.

    Every version that was announced is shown, the newest first: the same key
    with other content is another object. Of the dirty events, the first 3 of
    each table and reason are shown, in JSON too (dirty_events); the counts by
    reason (dirty) are of all.

    Examples:
        sluice file events/2026/11/22/part-0007.json
        sluice file s3://ef-prd-stream/part-0007.json.gz --stage prd --json
    """
    found = whereabouts(connect(stage), key)
    if as_json:
        say_json(found.document())
        return
    for version in found.versions:
        _show(found.key, version)


def _show(key: str, version: Version) -> None:
    size = f"{plural(version.bytes, 'byte')}, {plural(version.events, 'event')}"
    style = "green" if version.status == "validated" else "red"
    out.print(f"[bold]{escape(key)}[/] (ETag {version.etag}): [{style}]{version.status}[/], {size}", highlight=False)
    out.print(f"Recorded {version.recorded_at}", highlight=False)
    if version.message:
        out.print(f"[red]{escape(version.message)}[/]", highlight=False)
    examples = f"Dirty events, at most {EXAMPLES} of each table and reason"
    for title, table in {"Events": _events(version), examples: _dirty(version)}.items():
        if table.row_count:
            out.print(titled(title, table))
    for chunk in version.chunks:
        out.print(_said(chunk), highlight=False)
    for rows in version.tables if version.converted else ():
        out.print(f'sluice query "{escape(rows.sql)}"', highlight=False, soft_wrap=True)


def _events(version: Version) -> Table:
    shown = Table("What", "Events")
    for table, count in sorted(version.clean.items()):
        shown.add_row(f"[green]clean[/] {table}", f"{count:,}")
    for reason, count in sorted(version.dirty.items()):
        shown.add_row(f"[red]dirty[/] {reason}", f"{count:,}")
    if version.unrelated:
        shown.add_row("[dim]unrelated[/]", f"{version.unrelated:,}")
    return shown


def _dirty(version: Version) -> Table:
    shown = Table("Table", "Reason", "Offset", "Event", "Where", "What is wrong")
    for event in version.dirty_events:
        pointers = "\n".join(error["pointer"] for error in event.errors)
        messages = "\n".join(error["message"] for error in event.errors)
        place = (event.table or "-", event.reason, f"{event.offset:,}", escape(event.event_id or ""))
        shown.add_row(*place, escape(pointers), escape(messages))
    return shown


def _said(chunk: Chunk) -> str:
    if chunk.state == PENDING_STATE:
        return f"Chunk {chunk.id}: [yellow]waits[/] for the next conversion"
    if chunk.state == EXPIRED_STATE:
        return f"Chunk {chunk.id}: converted long ago; its record has expired"
    when = f" at {chunk.converted_at}" if chunk.converted_at else ""
    run = f" by run {chunk.run_id}{when}" if chunk.run_id else ": it held nothing to convert"
    return f"Chunk {chunk.id}: [green]converted[/]{run}"
