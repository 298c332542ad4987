"""Wait until the ledger says what became of the uploaded files."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from cli.event_files.ingest.records import Records
from cli.event_files.ingest.report import KNOWN, TIMED_OUT, FileReport
from cli.event_files.ingest.upload import Uploaded
from sluice.event_files.ledger.ledger_items import Item

# Ten requests to the ledger: more would only ask again and again for files whose turn has not come.
_LOOK_AT = 1000
_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
_BETWEEN_GLANCES = 1.0


@dataclass(slots=True)
class Watch:
    """Files that wait for their record. Patience, in seconds, begins anew with every record that arrives."""

    records: Records
    patience: float
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
        """Give the report of every file, as the records arrive; of those without one, that they timed out."""
        while self._waiting and time.monotonic() - self._last_news < self.patience:
            yield from self.look()
            if self._waiting:
                # The pipeline needs the ledger too: at least two thirds of the time are its own.
                time.sleep(max(self._pause, 2 * self._took))
        yield from (FileReport(w.file.key, TIMED_OUT, w.size) for w in self._waiting)

    def glance(self) -> list[FileReport]:
        """Look, but not so often that it slows an upload down."""
        return self.look() if time.monotonic() - self._last_look > _BETWEEN_GLANCES else []

    def look(self) -> list[FileReport]:
        """Look once for those that wait longest and give the reports of the files that now have a record."""
        self._last_look = time.monotonic()
        looked_at = [self._waiting.popleft() for _ in range(min(_LOOK_AT, len(self._waiting)))]
        records = self.records.of([uploaded.source for uploaded in looked_at])
        reports = []
        for uploaded in looked_at:
            record = records.get(uploaded.source)
            if record is None or _is_old(record, uploaded.before):
                self._waiting.append(uploaded)
            else:
                reports.append(report_of(uploaded, record))
        self._pace(news=bool(reports))
        return reports

    def _pace(self, *, news: bool) -> None:
        now = time.monotonic()
        self._took = now - self._last_look
        self._pause = _SHORTEST_PAUSE if news else min(self._pause * 1.5, _LONGEST_PAUSE)
        if news:
            self._last_news = now


def _is_old(record: Item, before: Item | None) -> bool:
    """A record that is not final (the object was gone, say) is written anew for every new announcement."""
    return before is not None and record.get("recorded_at") == before.get("recorded_at")


def report_of(uploaded: Uploaded, record: Item) -> FileReport:
    """The report of a file from its record."""
    return FileReport(
        key=uploaded.file.key,
        status=KNOWN if uploaded.known else str(record["status"]),
        bytes=uploaded.size,
        events=int(record.get("events", 0)),
        clean=dict(sorted(record.get("clean", {}).items())),
        dirty=dict(sorted(record.get("dirty", {}).items())),
        unrelated=int(record.get("unrelated", 0)),
    )
