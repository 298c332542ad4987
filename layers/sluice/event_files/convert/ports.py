"""What a conversion needs of the outside world."""

from collections.abc import Iterable
from typing import Protocol

from sluice.event_files.convert.model import OpenRun
from sluice.event_files.ledger.model import ChunkRecord


class RunLedger(Protocol):
    """Pending chunks and the one open run."""

    def open_run(self) -> OpenRun | None:
        """Return the run that is going on."""

    def begin_run(self, run: OpenRun) -> bool:
        """Open a run unless one is open; tell whether it was."""

    def take_over(self, run: OpenRun, execution: str) -> bool:
        """Give the open run to another execution, if it is still the one that `run` says; tell whether it was."""

    def publish_plan(self, run: OpenRun, plan_key: str) -> bool:
        """Say which plan holds, if the run is still `run` and has none yet; tell whether it was said."""

    def drop_run(self, run: OpenRun) -> bool:
        """End a run that needs no plan, if it is still `run` and has none yet; tell whether it was."""

    def close_run(self, run_id: str) -> None:
        """End the run, if it is the open one."""

    def pending_chunks(self) -> list[ChunkRecord]:
        """Return every committed chunk that is not converted, oldest first."""

    def mark_converted(self, chunk_ids: Iterable[str], run_id: str) -> None:
        """Move chunks from pending to converted; those that are converted already stay so."""


class Executions(Protocol):
    """The executions of the state machine."""

    def is_running(self, execution: str) -> bool:
        """Tell whether an execution is still going on."""
