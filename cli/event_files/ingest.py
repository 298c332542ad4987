"""`sluice ingest`: upload event files, and report what became of each."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.markup import escape
from rich.table import Column, Table

from cli.event_files.again import announce_again
from cli.event_files.existing import show, take_in
from cli.event_files.producer_bucket import ProducerBucket
from cli.event_files.upload import InputFile, Uploaded, Uploader, input_files
from cli.platform.console import CliError, JsonOption, err, handled, out, plural, print_result, progress, titled
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from sluice.aws.runtime import Item
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger
from sluice.event_files.ledger.model import SourceObject, Status

KNOWN = "known"
"""Status of a file that was in the ledger before; its counts are those of then."""
TIMED_OUT = "timed_out"
"""Status of a file without a record; it may still be on its way."""

# A refused file is done: the refusal is recorded, and waiting does not change it.
DONE = frozenset({"validated", "refused", "repeated", KNOWN})

_NAMED = 20  # unfinished files that are named one by one
_LOOK_AT = 1000  # files per look: ten requests to the ledger; more would ask for files that are not validated yet
_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_BETWEEN_GLANCES = 1.0


@dataclass(frozen=True, slots=True)
class FileReport:
    """The counts of a file's events: clean ones by table, dirty ones by reason."""

    key: str
    status: str
    bytes: int
    events: int = 0
    clean: Mapping[str, int] = field(default_factory=dict)
    dirty: Mapping[str, int] = field(default_factory=dict)
    unrelated: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over all files."""

    files: int
    events: int
    clean: Mapping[str, int]
    dirty: Mapping[str, int]
    unrelated: int


@handled
def ingest(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Files, or directories that stand for all files below them.")
    ] = None,
    existing: Annotated[
        str | None,
        typer.Option(metavar="PREFIX", help="Take in objects that are in the source bucket already."),
    ] = None,
    again: Annotated[
        list[str] | None,
        typer.Option(metavar="CHUNK", help="Validate the files of a chunk once more that was lost; may be repeated."),
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="With --existing: count, and say what it would cost.")] = False,
    stage: StageOption = LOCAL,
    as_json: JsonOption = False,
    timeout: Annotated[float, typer.Option(help="Give up after so many seconds without any news.")] = 300.0,
) -> None:
    """Upload event files and say what became of each, or take in files that are there already.

    Waits until the ledger has a record of every file, then prints the events
    per table (clean), per reason (dirty) and those of other producers
    (unrelated). A file the ledger knows already is not uploaded again; its
    counts are those of then. Exit code 0: every file has come to its end;
    dirty events are no failure, they are kept with their reasons.

    With --existing, the objects that were in the source bucket before the
    stage came are announced to it; it does not wait for them. Doing it again
    counts nothing twice. All of the bucket: --existing "".

    With --again, the files of a chunk that conversion cannot read (`sluice
    status` names it) are announced once more, as if they had never been
    validated; their events count once. It is safe to do again.

    Examples:
        sluice ingest data/event_files
        sluice ingest --existing orders/2026/ --stage prd --dry-run
        sluice ingest 2024/05/*.gz --stage dev --json | jq .totals
        sluice ingest --again 20261122T071500123456Z-1f2e3d4c
    """
    if [bool(paths), existing is not None, bool(again)].count(True) != 1 or (dry_run and existing is None):
        ways = "Name files, or a prefix with --existing (and --dry-run), or chunks with --again."
        raise CliError("It is not clear what to take in.", ways)
    deployment = connect(stage)
    if existing is not None:
        found = take_in(deployment, existing, dry_run=dry_run)
        print_result(found, lambda _: show(found, dry_run=dry_run), as_json=as_json)
    elif again:
        _end(ingest_again(deployment, again, timeout), as_json=as_json)
    else:
        _end(ingest_files(deployment, input_files(paths or []), timeout), as_json=as_json)


def _end(reports: list[FileReport], *, as_json: bool) -> None:
    print_reports(reports, as_json=as_json)
    if not as_json:
        _print_statuses(reports)
    if any(report.status not in DONE for report in reports):
        raise typer.Exit(1)


def ingest_again(deployment: Deployment, chunk_ids: Sequence[str], timeout: float) -> list[FileReport]:
    """Announce the files of lost chunks once more and wait for their records; return a report for each key."""
    watch = Watch(DynamoLedger(deployment.dynamodb, deployment.output("LedgerTable")).items, timeout)
    for announced in announce_again(deployment, chunk_ids):
        watch.add(announced)
    reports: dict[str, FileReport] = {}
    for found in watch.finish():
        if found.key not in reports or found.status in DONE:  # of the versions of a key, one is there
            reports[found.key] = found
    return [reports[key] for key in sorted(reports)]


def ingest_files(deployment: Deployment, files: list[InputFile], timeout: float) -> list[FileReport]:
    """Upload the files and wait for their records; return the reports in the order of the files."""
    ledger = DynamoLedger(deployment.dynamodb, deployment.output("LedgerTable"))
    bucket = ProducerBucket.of(deployment, "Source")
    files = [replace(file, key=bucket.key_of(file.key)) for file in files]
    uploader = Uploader(bucket, ledger)
    watch = Watch(ledger.items, timeout)
    reports: dict[str, FileReport] = {}
    with progress() as shown:
        uploading = shown.add_task("Uploaded", total=len(files))
        recorded = shown.add_task("Recorded", total=len(files))
        for uploaded in uploader.upload(files):
            if uploaded.known and uploaded.before is not None:
                reports[uploaded.source.key] = report_of(uploaded, uploaded.before)
            else:
                watch.add(uploaded)
            reports |= {found.key: found for found in watch.glance()}
            shown.advance(uploading)
            shown.update(recorded, completed=len(reports))
        for found in watch.finish():
            reports[found.key] = found
            shown.update(recorded, completed=len(reports))
    return [reports[file.key] for file in files]


@dataclass(slots=True)
class Watch:
    """Files that wait for their item in the ledger; gives up after `timeout` seconds without a new item."""

    find_items: Callable[[Sequence[SourceObject]], Mapping[SourceObject, Item]]
    timeout: float
    _waiting: deque[Uploaded] = field(default_factory=deque)
    _pause: float = _SHORTEST_PAUSE
    _took: float = 0.0
    _last_news: float = field(default_factory=time.monotonic)
    _last_look: float = 0.0

    def add(self, uploaded: Uploaded) -> None:
        """Wait for this file too."""
        self._waiting.append(uploaded)
        self._last_news = time.monotonic()

    def finish(self) -> Iterator[FileReport]:
        """Yield the report of every file as its item arrives; in the end, those of the files that timed out."""
        while self._waiting and time.monotonic() - self._last_news < self.timeout:
            yield from self.look()
            if self._waiting:
                # The pipeline needs the ledger too: at least two thirds of the time are its own.
                time.sleep(max(self._pause, 2 * self._took))
        yield from (FileReport(each.source.key, TIMED_OUT, each.size) for each in self._waiting)

    def glance(self) -> list[FileReport]:
        """Look, but not so often that it slows an upload down."""
        return self.look() if time.monotonic() - self._last_look > _BETWEEN_GLANCES else []

    def look(self) -> list[FileReport]:
        """Look once for those that wait longest, and return the reports of the files that now have an item."""
        self._last_look = time.monotonic()
        looked_at = [self._waiting.popleft() for _ in range(min(_LOOK_AT, len(self._waiting)))]
        items = self.find_items([uploaded.source for uploaded in looked_at])
        reports = []
        for uploaded in looked_at:
            item = items.get(uploaded.source)
            if item is None or item["status"] == Status.BEGUN or _is_stale(item, uploaded.before):
                self._waiting.append(uploaded)
            else:
                reports.append(report_of(uploaded, item))
        now = time.monotonic()
        self._took = now - self._last_look
        self._pause = _SHORTEST_PAUSE if reports else min(self._pause * 1.5, _LONGEST_PAUSE)
        self._last_news = now if reports else self._last_news
        return reports


def _is_stale(item: Item, before: Item | None) -> bool:
    """Return whether an item is from before the upload: one that is not final is written anew at every announcement."""
    return before is not None and item.get("recorded_at") == before.get("recorded_at")


def report_of(uploaded: Uploaded, item: Item) -> FileReport:
    """Return the report of a file from its item."""
    return FileReport(
        key=uploaded.source.key,
        status=KNOWN if uploaded.known else str(item["status"]),
        bytes=uploaded.size,
        events=int(item.get("events", 0)),
        clean=dict(sorted(item.get("clean", {}).items())),
        dirty=dict(sorted(item.get("dirty", {}).items())),
        unrelated=int(item.get("unrelated", 0)),
    )


def totals(files: Sequence[FileReport]) -> Totals:
    """Add the files up."""
    clean: Counter[str] = Counter()
    dirty: Counter[str] = Counter()
    for file in files:
        clean.update(file.clean)
        dirty.update(file.dirty)
    return Totals(
        files=len(files),
        events=sum(file.events for file in files),
        clean=dict(sorted(clean.items())),
        dirty=dict(sorted(dirty.items())),
        unrelated=sum(file.unrelated for file in files),
    )


def print_reports(files: list[FileReport], *, as_json: bool) -> None:
    """Print the reports: all of them as JSON, or their totals as a table."""
    document = {"files": files, "totals": totals(files)}
    print_result(document, lambda _: out.print(report_table(files)), as_json=as_json)


def report_table(files: list[FileReport]) -> RenderableType:
    """Return the totals as a table."""
    total = totals(files)
    shown = Table("Went to", "Table or reason", Column("Events", justify="right"))
    _add_rows(shown, "[green]clean[/]", total.clean)
    _add_rows(shown, "[yellow]dirty[/]", total.dirty)
    _add_rows(shown, "[dim]unrelated[/]", {"another producer's": total.unrelated} if total.unrelated else {})
    return titled(f"{plural(total.files, 'file')}, {plural(total.events, 'event')}", shown)


def _add_rows(shown: Table, where: str, counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        shown.add_row(where, name, f"{count:,}")
    if len(counts) > 1:
        shown.add_row(where, "[bold]all[/]", f"[bold]{sum(counts.values()):,}[/]")
    shown.add_section()


def _print_statuses(reports: list[FileReport]) -> None:
    counts = Counter(report.status for report in reports).most_common()
    err.print(", ".join(f"{count:,} {status.replace('_', ' ')}" for status, count in counts))
    unfinished = [found for found in reports if found.status not in DONE]
    for found in unfinished[:_NAMED]:
        err.print(f"  [red]{found.status}[/] {escape(found.key)}", highlight=False)
    if len(unfinished) > _NAMED:
        err.print(f"  … and {len(unfinished) - _NAMED:,} more; --json lists them all.")
