"""`sluice file`: what became of a source object: every version that was announced, its events, its chunks, its rows."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from cli.event_files.ledger import etag_of, find_chunk, versions_of
from cli.platform.console import CliError, JsonOption, handled, out, plural, print_result, print_tables, shell, table
from cli.platform.runs import records_of
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from cli.platform.sql import literal
from sluice.aws.runtime import Item, error_code
from sluice.event_files.ledger.model import PENDING, dirty_key
from sluice.lake.object_store import MissingObjectError, table_prefix
from sluice.lake.object_store_s3 import S3ObjectStore

EXAMPLES = 3  # dirty events shown of each table and reason
_ALIKE = 5  # keys shown that begin as an unknown one
_PENDING, _CONVERTED, _EXPIRED = "pending", "converted", "expired"
_COUNTS = ("bytes", "events", "clean", "dirty", "unrelated", "unknown_members", "media_missing")
_DIRTY = ("table", "reason", "offset", "event_id", "errors")
_RECORDED = ("status", "recorded_at", *_COUNTS)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk with lines of the object; an ``expired`` one was converted so long ago that its record is gone.

    `left_out` says why the last run left it out.
    """

    id: str
    state: str
    run_id: str | None = None
    converted_at: str | None = None
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """A version of an object, by its ETag; counts are of events, `dirty` by reason.

    `status` is the ledger's: validated, refused, repeated, gone, again, begun, failed or unreadable; `message` says why
    it was not taken in.
    Dirty events have what is wrong at which JSON pointer; tables have the number of rows, and the SQL that shows them.
    """

    etag: str
    status: str
    message: str | None
    recorded_at: str
    bytes: int
    events: int
    clean: Mapping[str, int]
    dirty: Mapping[str, int]
    unrelated: int
    unknown_members: int
    media_missing: int
    converted: bool
    chunks: Sequence[Chunk]
    dirty_events: Sequence[Mapping[str, Any]]
    tables: Sequence[Mapping[str, Any]]


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
    deployment = connect(stage)
    bucket, key = _bucket_and_key(deployment, key)
    versions = [_version(deployment, item, key) for item in versions_of(deployment, bucket, key)]
    if not versions:
        raise _unknown_error(deployment, bucket, key)
    print_result({"bucket": bucket, "key": key, "versions": versions}, _show, as_json=as_json)


def _bucket_and_key(deployment: Deployment, place: str) -> tuple[str, str]:
    source = deployment.output("SourceBucket")
    path = place.removeprefix("s3://") if place.startswith("s3://") else f"{source}/{place}"
    bucket, _, key = path.partition("/")
    if bucket != source or not key:
        raise CliError(
            f"{place!r} is no object this stage reads.", f"It reads {source}: give KEY or s3://{source}/KEY."
        )
    return bucket, key


def _version(deployment: Deployment, item: Item, key: str) -> Version:
    chunks = [_chunk(deployment, chunk_id) for chunk_id in item["chunks"]]
    lake, clean = deployment.output("LakeBucket"), item["clean"]
    dirty_events = _dirty_events(S3ObjectStore(deployment.s3, lake), item, key) if item["dirty"] else ()
    return Version(
        etag=etag_of(item),
        message=item.get("message"),
        **{name: item[name] for name in _RECORDED},
        converted=bool(clean) and all(chunk.state != _PENDING for chunk in chunks),
        chunks=chunks,
        dirty_events=sorted(dirty_events, key=lambda event: (event["table"] or "", event["reason"], event["offset"])),
        tables=[_rows(lake, table, count, key) for table, count in sorted(clean.items())],
    )


def _chunk(deployment: Deployment, chunk_id: str) -> Chunk:
    item = find_chunk(deployment, chunk_id)
    if item is None:
        return Chunk(chunk_id, _EXPIRED)
    if item["pk"] == PENDING:
        return Chunk(chunk_id, _PENDING, left_out=item.get("left_out"))
    run_id = item.get("run_id")
    record = records_of(deployment).find(run_id) if run_id else None
    return Chunk(chunk_id, _CONVERTED, run_id, record.ended_at if record else None)


def _dirty_events(lake: S3ObjectStore, item: Item, key: str) -> Iterator[dict[str, Any]]:
    """Yield the first dirty events of each table and reason, as far as their objects are still kept."""
    seen: Counter[tuple[str | None, str]] = Counter()
    for chunk_id in item["chunks"]:
        try:
            records = map(json.loads, lake.read(dirty_key(chunk_id)).splitlines())
        except MissingObjectError:
            continue
        for record in records:
            kind = (record["table"], record["reason"])
            if (record["source_key"], record["source_etag"]) == (key, etag_of(item)) and seen[kind] < EXAMPLES:
                seen[kind] += 1
                yield {name: record[name] for name in _DIRTY}


def _rows(lake: str, table: str, count: int, key: str) -> dict[str, Any]:
    sql = f"select * from {table.lower()} where _source_key = {literal(key)}"  # noqa: S608 # shown, not run
    return {"table": table, "rows": count, "prefix": f"s3://{lake}/{table_prefix(table)}", "sql": sql}


def _unknown_error(deployment: Deployment, bucket: str, key: str) -> CliError:
    """Return the error about an object without a record: it was not validated yet, or there is no such object."""
    try:
        found = deployment.s3.head_object(Bucket=bucket, Key=key)
    except deployment.s3.exceptions.ClientError as error:
        if error_code(error) not in {"404", "NoSuchKey", "NotFound"}:
            raise
        listed = deployment.s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=_ALIKE)
        alike = ", ".join(item["Key"] for item in listed.get("Contents", []))
        hint = f"These begin alike: {alike}" if alike else "Give the whole key, as it was uploaded."
        return CliError(f"Nothing is known of {key}, and there is no such object in {bucket}.", hint)
    return CliError(
        f"{key} lies in {bucket} since {found['LastModified']:%Y-%m-%d %H:%M:%S} UTC, but nothing is recorded of it.",
        "Its announcement waits, failed, or was never made: `sluice status` shows the queue. "
        "Putting the object again announces it again.",
    )


def _show(found: Mapping[str, Any]) -> None:
    for version in found["versions"]:
        _show_version(found["key"], version)


def _show_version(key: str, version: Version) -> None:
    size = f"{plural(version.bytes, 'byte')}, {plural(version.events, 'event')}"
    style = "green" if version.status in {"validated", "repeated"} else "red"
    out.print(f"[bold]{escape(key)}[/] (ETag {version.etag}): [{style}]{version.status}[/], {size}", highlight=False)
    out.print(f"Recorded {version.recorded_at}", highlight=False)
    if version.message:
        out.print(f"[{style}]{escape(version.message)}[/]", highlight=False)
    examples = f"Dirty events, at most {EXAMPLES} of each table and reason"
    print_tables({"Events": _event_table(version), examples: _dirty_table(version)})
    for chunk in version.chunks:
        out.print(_chunk_text(chunk), highlight=False)
    for rows in version.tables if version.converted else ():
        out.print(escape(shell("sluice", "query", rows["sql"])), highlight=False, soft_wrap=True)


def _event_table(version: Version) -> Table:
    counts = {f"[green]clean[/] {name}": count for name, count in sorted(version.clean.items())}
    counts |= {f"[red]dirty[/] {reason}": count for reason, count in sorted(version.dirty.items())}
    counts |= {"[dim]unrelated[/]": version.unrelated} if version.unrelated else {}
    return table("What", "Events", rows=((what, f"{count:,}") for what, count in counts.items()))


def _dirty_table(version: Version) -> Table:
    def cells(event: Mapping[str, Any]) -> tuple[str, ...]:
        errors = (escape("\n".join(error[member] for error in event["errors"])) for member in ("pointer", "message"))
        return event["table"] or "-", event["reason"], f"{event['offset']:,}", escape(event["event_id"] or ""), *errors

    headers = ("Table", "Reason", "Offset", "Event", "Where", "What is wrong")
    return table(*headers, rows=map(cells, version.dirty_events))


def _chunk_text(chunk: Chunk) -> str:
    if chunk.left_out:
        return f"Chunk {chunk.id}: [red]left out[/]: {escape(chunk.left_out)}"
    if chunk.state == _PENDING:
        return f"Chunk {chunk.id}: [yellow]waits[/] for the next conversion"
    if chunk.state == _EXPIRED:
        return f"Chunk {chunk.id}: converted long ago; its record has expired"
    when = f" at {chunk.converted_at}" if chunk.converted_at else ""
    run = f" by run {chunk.run_id}{when}" if chunk.run_id else ": it held nothing to convert"
    return f"Chunk {chunk.id}: [green]converted[/]{run}"
