"""A stage in the local cloud that is never at rest: Convert, Compact and roll-backs, each of which dies at some call.

What readers may find of a table meanwhile is a state that it had between the begin and the end of their query: the rows
of whole runs, each once. Every run has the same files, in a folder of its own; folders stand for runs.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.table.snapshots import Snapshot

from cli.platform.query import run_query
from cli.platform.session import Deployment
from sluice.contracts.model import DIRTY_EVENTS
from sluice.lake.tables_iceberg import CommitError, run_of
from tests.support.lake_tables import DATABASE
from tests.support.local.emulated_lake import EmulatedLake
from tests.support.moto.aws_calls import AwsUnavailableError, Interceptor, KilledError, undisturbed
from tests.support.moto.stage import REGISTRY
from tests.support.sample_events import body, broken, event
from tests.tables.integration.cloud_stage import cloud_stage, made
from tests.tables.integration.upkeep_stage import TABLE, UpkeepStage

Row = tuple[str, str | None]

LOG = "PROFILING_LOG"
_BACK = 6  # snapshots that a roll-back takes away
_COLUMNS = {TABLE: ("_source_key", "id"), LOG: ("event_filename", "event_id")}
_EVENTS = {"first": (1, 2), "second": (3,)}  # numbers of the clean events of each file
_ROWS: dict[str, list[Row]] = {
    TABLE: [(name, f"{TABLE}-{number}") for name, numbers in _EVENTS.items() for number in numbers],
    LOG: [("first", f"{TABLE}-{number}") for number in (1, 2, 1)] + [("second", f"{TABLE}-3"), ("second", None)],
}
"""Rows of a run: its files, and the ids of their events; in the log those of dirty records, too."""


@dataclass
class Course:
    """States of a table in their order, each the folders whose rows it has; before `since` are those that are over."""

    rows: list[Row]
    states: list[frozenset[str]] = field(default_factory=lambda: [frozenset()])
    since: int = 0

    def may_become(self, state: Iterable[str]) -> None:
        """Note a state before the change to it begins."""
        self.states.append(frozenset(state))

    def is_now(self, state: Iterable[str]) -> None:
        """Note a state that it surely has."""
        self.may_become(state)
        self.since = len(self.states) - 1

    def look(self, query: Callable[[], Iterable[Row]]) -> None:
        """Assert that a query finds one of the states that the table has while it goes on."""
        since = self.since
        found = Counter(query())
        folders = frozenset(key.partition("/")[0] for key, _ in found)
        whole = Counter((f"{folder}/{name}", event_id) for folder in folders for name, event_id in self.rows)
        assert found == whole, f"not once: {found - whole}, missing: {whole - found}"
        possible = self.states[since:]
        assert folders in possible, f"{sorted(folders)} is none of {[sorted(each) for each in possible]}"


class BusyStage:
    """Convert, one run after the other, and roll-backs of TABLE; Compact may be at work in another thread."""

    def __init__(self, lake: EmulatedLake) -> None:
        self.deployment = made(lake, (each for each in REGISTRY.tables() if each.name in (*_ROWS, DIRTY_EVENTS.name)))
        self.stage = cloud_stage(self.deployment)
        self.courses = {table: Course(rows) for table, rows in _ROWS.items()}
        self._folders: dict[str, str] = {}  # by run
        self._folder = ""

    def new_upkeep(self) -> UpkeepStage:
        """Return a Compact machine, with clients of its own."""
        return UpkeepStage(cloud_stage(self.deployment))

    def convert(self, folder: str, trouble: Interceptor = undisturbed, *, roll_back: bool = False) -> None:
        """Let an execution end at a call, and another one finish its run; an operator may roll back in between."""
        self._folder = folder
        self._upload()
        before = self._visible()
        self._may_add(before)
        with self.stage.calls.intercept(trouble), suppress(AwsUnavailableError, KilledError):
            self.stage.convert(attempts=2)
        assert self._visible() in {before, before | {folder}}
        if roll_back:
            self.courses[TABLE].is_now(self._visible())
            self.roll_back()
        after = self._may_add(self._visible())
        self.stage.convert()
        assert self._visible() == after
        self.courses[TABLE].is_now(after)
        self.courses[LOG].is_now(self.courses[LOG].states[-1])

    def roll_back(self, trouble: Interceptor = undisturbed) -> None:
        """Roll TABLE back, or forward to the newest snapshot if it is rolled back; asked for until it is so."""
        current = self._current()
        assert current is not None
        target = max(self._snapshots.values(), key=lambda each: each.sequence_number or 0)
        if target.snapshot_id == current.snapshot_id:
            target = self._lineage(current)[: _BACK + 1][-1]
        after = self._visible(target)
        self.courses[TABLE].may_become(after)
        while True:
            with self.stage.calls.intercept(trouble), suppress(AwsUnavailableError, KilledError, CommitError):
                self.stage.tables.roll_back(TABLE, target.snapshot_id, current.snapshot_id)
                break
            trouble, current = undisturbed, self._current() or current
        assert self._visible() == after
        self.courses[TABLE].is_now(after)

    def _upload(self) -> None:
        """Commit two chunks: rows in two hours, one of them in both chunks, and dirty records in both."""
        for name, more in (("first", broken(1)), ("second", b"no event")):
            events = [event(TABLE, number, hour=9 + number // 2) for number in _EVENTS[name]]
            self.stage.arrive(f"{self._folder}/{name}", body(*events, more))

    def _may_add(self, before: frozenset[str]) -> frozenset[str]:
        """Note that the rows of the folder may come, unless they were there already; return what TABLE will be."""
        came = self._folder in map(self._folder_of, self._snapshots.values())
        after = before if came else before | {self._folder}
        self.courses[TABLE].may_become(after)
        self.courses[LOG].may_become(self.courses[LOG].states[-1] | {self._folder})
        return after

    def _current(self) -> Snapshot | None:
        table = self.stage.tables._load(TABLE)
        self._snapshots = {each.snapshot_id: each for each in table.snapshots()}
        return table.current_snapshot()

    def _visible(self, snapshot: Snapshot | None = None) -> frozenset[str]:
        """Return the folders that a snapshot of TABLE has the rows of, as its history says; the current one's."""
        return frozenset(map(self._folder_of, self._lineage(snapshot or self._current()))) - {""}

    def _lineage(self, snapshot: Snapshot | None) -> list[Snapshot]:
        found = []
        while snapshot:
            found.append(snapshot)
            snapshot = self._snapshots.get(snapshot.parent_snapshot_id or 0)
        return found

    def _folder_of(self, snapshot: Snapshot) -> str:
        """Return the folder whose rows a snapshot added; "" for those of Compact."""
        run = run_of(snapshot)
        return self._folders.setdefault(run, self._folder) if run[:1].isdigit() else ""


def queries(deployment: Deployment, table: str) -> dict[str, Callable[[], list[Row]]]:
    """Return the ways to ask for the rows of a table, each with clients of its own."""
    columns = _COLUMNS[table]
    reader = Deployment("x", deployment.session, deployment.endpoint)
    reader.__dict__["outputs"] = deployment.outputs
    key = deployment.session.get_credentials()
    assert key is not None
    access = {"s3.access-key-id": key.access_key, "s3.secret-access-key": key.secret_key, "s3.region": "us-east-1"}
    catalog = GlueCatalog("lake", client=reader.glue, **access, **{"s3.endpoint": deployment.endpoint})

    def by_pyiceberg() -> list[Row]:
        found = catalog.load_table((DATABASE, table.lower())).scan(selected_fields=columns).to_arrow()
        return list(zip(*(found[column].to_pylist() for column in columns), strict=True))

    def by_athena() -> list[Row]:
        found = run_query(reader, f"select {', '.join(columns)} from {table.lower()}")
        return [(key, event_id) for key, event_id in found.rows]

    return {"PyIceberg": by_pyiceberg, "Athena": by_athena}
