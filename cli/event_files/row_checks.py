"""Rows of the tables against the clean events that the ledger counts, by run and in all."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pyiceberg.exceptions import NoSuchTableError

from cli.event_files.ledger import runs_of
from cli.platform.console import plural, shell
from cli.platform.registry import Finding
from cli.platform.session import Deployment
from sluice.contracts.load import load_registry
from sluice.event_files.ledger.model import CONVERTED, CONVERTED_DAYS
from sluice.lake.tables_iceberg import IcebergTables, Snapshot

_LOOKS = 3  # what a run changes meanwhile is not seen every time
_REMEMBERED = timedelta(days=CONVERTED_DAYS - 10)


@dataclass(slots=True)
class _Counts:
    """Clean events of converted chunks, by table, and by table and run; `oldest` is when the first was committed."""

    by_table: Counter[str] = field(default_factory=Counter)
    by_run: Counter[tuple[str, str]] = field(default_factory=Counter)
    oldest: str = ""


def find_wrong_rows(deployment: Deployment, looked_at: Callable[[], None]) -> Iterator[Finding]:
    """Yield the tables whose rows are not what the ledger counts, each time that it is looked at."""
    found = _look(deployment, looked_at)
    for _ in range(_LOOKS - 1):
        if found:
            again = _look(deployment, looked_at)
            found = {place: again[place] for place in found if place in again}
    yield from found.values()


def _look(deployment: Deployment, looked_at: Callable[[], None]) -> dict[str, Finding]:
    runs = runs_of(deployment)
    running = {run.run_id for run in [runs.open_run()] if run}
    snapshots = _snapshots(deployment)
    counts = _counts(deployment, {run for each in snapshots.values() for run in _rows_of_runs(each)}, looked_at)
    running |= {run.run_id for run in [runs.open_run()] if run}
    found = [each for table in snapshots for each in _wrong(table, snapshots[table], counts, running)]
    return {each.place: each for each in found}


def _snapshots(deployment: Deployment) -> dict[str, list[Snapshot]]:
    """Return the snapshots of the contracts' tables that can be read."""
    database, bucket = deployment.output("Database"), deployment.output("LakeBucket")
    tables = IcebergTables(deployment.glue, database, bucket, deployment.s3)
    found = {}
    for contract in load_registry().contracts:
        try:
            found[contract.table] = tables.snapshots(contract.table)
        except (NoSuchTableError, FileNotFoundError):  # another check says so
            continue
    return found


def _counts(deployment: Deployment, kept: set[str], looked_at: Callable[[], None]) -> _Counts:
    """Count all chunks that are converted, run by run only for those runs that are `kept` as snapshots."""
    counts = _Counts()
    for chunk in runs_of(deployment).items_under(CONVERTED):
        looked_at()
        counts.oldest = counts.oldest or chunk["created_at"]
        if "run_id" in chunk:
            for table, events in chunk["clean"].items():
                counts.by_table[table] += events
                run = chunk["run_id"] if chunk["run_id"] in kept else ""
                counts.by_run[table, run] += events
    return counts


def _wrong(table: str, snapshots: Sequence[Snapshot], counts: _Counts, running: set[str]) -> Iterator[Finding]:
    """Yield what is wrong with a table, but for the rows of runs that are going on."""
    remembered = datetime.now(UTC) - _REMEMBERED
    for run, rows in _rows_of_runs([each for each in snapshots if each.committed_at > remembered]).items():
        if run not in running and rows != counts.by_run[table, run]:
            yield Finding(
                kind="wrong rows",
                place=f"{table} run {run}",
                message=f"the run added {plural(rows, 'row')}, the ledger counts {counts.by_run[table, run]:,} events",
                advice=f"Look at the run ({shell('sluice', 'run', run)}) and the table "
                f"({shell('sluice', 'table', table.lower())}); a roll-back to the snapshot before takes its rows away.",
            )
    expected = counts.by_table[table] - sum(counts.by_run[table, run] for run in running)
    there = _rows_there(snapshots, running)
    has_all = not counts.oldest or datetime.fromisoformat(counts.oldest).astimezone(UTC) > remembered
    if there < expected or (there > expected and has_all):
        yield Finding(
            kind="wrong rows",
            place=table,
            message=f"{plural(there, 'row')}, and the ledger counts {plural(expected, 'event')} that were converted",
            advice="Was it rolled back more than a week ago, did somebody delete rows, or does the stage leave out "
            f"doubles? Then it is meant. Else look at its snapshots: {shell('sluice', 'table', table.lower())}",
        )


def _rows_there(snapshots: Sequence[Snapshot], running: set[str]) -> int:
    """Return the rows of a table, with those that a roll-back or a compaction took away, and without those of runs."""
    by_id = {each.snapshot_id: each for each in snapshots}
    newest = next((each for each in snapshots if each.is_current), None)
    line, at = set[int](), newest
    while at:
        line.add(at.snapshot_id)
        at = by_id.get(at.parent_id) if at.parent_id is not None else None
    rolled_back = _rows_of_runs([each for each in snapshots if each.snapshot_id not in line])
    in_it = _rows_of_runs([each for each in snapshots if each.snapshot_id in line])
    doubles = sum(
        each.rows_removed - each.rows_added
        for each in snapshots
        if each.snapshot_id in line and not _is_of_run(each) and each.rows_added
    )
    rows = newest.rows if newest else 0
    rows += doubles + sum(rows for run, rows in rolled_back.items() if run not in running and run not in in_it)
    return rows - sum(rows for run, rows in in_it.items() if run in running)


def _rows_of_runs(snapshots: Sequence[Snapshot]) -> Mapping[str, int]:
    """Return the rows that each run of Convert added."""
    return {each.run_id: each.rows_added for each in snapshots if _is_of_run(each)}


def _is_of_run(snapshot: Snapshot) -> bool:
    return snapshot.run_id[:1].isdigit()  # those of other machines begin with a word
