"""Rows of the table DIRTY_EVENTS against the dirty pieces that the ledger counts, by run."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from pyiceberg.exceptions import NoSuchTableError

from cli.event_files.ledger import runs_of
from cli.platform.console import plural, shell
from cli.platform.registry import Finding
from cli.platform.session import Deployment
from sluice.contracts.model import DIRTY_EVENTS
from sluice.event_files.ledger.model import CONVERTED, DIRTY_KEPT
from sluice.lake.object_store import time_of_id
from sluice.lake.schemas_iceberg import KEPT_DAYS
from sluice.lake.tables_iceberg import IcebergTables

_LOOKS = 3  # what a run changes meanwhile is not seen every time


def find_wrong_dirty(deployment: Deployment, looked_at: Callable[[], None]) -> Iterator[Finding]:
    """Yield the runs whose dirty records are not all in the table, or more than once, each time it is looked at."""
    found = _look(deployment, looked_at)
    for _ in range(_LOOKS - 1):
        if found:
            again = _look(deployment, looked_at)
            found = {run: again[run] for run in found if run in again}
    yield from found.values()


def _look(deployment: Deployment, looked_at: Callable[[], None]) -> dict[str, Finding]:
    tables = IcebergTables(
        deployment.glue, deployment.output("Database"), deployment.output("LakeBucket"), deployment.s3
    )
    try:
        kept = tables.properties(DIRTY_EVENTS.name).get(KEPT_DAYS)
    except NoSuchTableError:  # another check says so
        return {}
    ledger = runs_of(deployment)
    ignored = {run.run_id for run in [ledger.open_run()] if run}
    today = datetime.now(UTC)  # days that are over go one by one
    first = today - timedelta(days=int(kept) - 1) if kept else datetime.min.replace(tzinfo=UTC)
    run_of: dict[str, str] = {}
    dirty_of: Counter[str] = Counter()  # by commit: the counts of its chunks are with the last, which may hold nothing
    run_of_commit: dict[str, str] = {}
    for chunk in ledger.items_under(CONVERTED):
        looked_at()
        commit = chunk.get("commit_id") or chunk["sk"]
        dirty_of[commit] += sum(count for reasons in chunk["dirty"].values() for count in reasons.values())
        if run := chunk.get("run_id", ""):
            run_of[chunk["sk"]] = run_of_commit[commit] = run
            if DIRTY_KEPT not in chunk or time_of_id(chunk["sk"]) < first:
                ignored.add(run)
    expected: Counter[str] = Counter()
    for commit, pieces in dirty_of.items():
        expected[run_of_commit.get(commit, "")] += pieces
    there: Counter[str] = Counter()
    for row in tables.read(DIRTY_EVENTS.name, ("chunk_id", "pieces")):
        there[run_of.get(row["chunk_id"], "")] += row["pieces"]
    ignored |= {"", *(run.run_id for run in [ledger.open_run()] if run)}
    wrong = [run for run in expected | there if run not in ignored and there[run] != expected[run]]
    return {run: _finding(run, there[run], expected[run]) for run in wrong}


def _finding(run: str, there: int, expected: int) -> Finding:
    return Finding(
        kind="wrong rows",
        place=f"{DIRTY_EVENTS.name} run {run}",
        message=f"its records stand for {plural(there, 'dirty piece')}, the ledger counts {expected:,}",
        advice="Was the table rolled back, or did somebody delete rows? Look at its snapshots: "
        f"{shell('sluice', 'table', DIRTY_EVENTS.name.lower())}. The records themselves are in data/dirty_json/.",
    )
