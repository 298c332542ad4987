"""What a conversion needs of the outside world."""

from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Protocol

from sluice.event_files.convert.model import OpenRun, Span
from sluice.event_files.ledger.model import ChunkRecord


class MissingObjectError(Exception):
    """An object that should be in the lake is not there, or not all of it."""


class RunFiles(Protocol):
    """The lake bucket."""

    def read(self, key: str) -> bytes:
        """Return an object's bytes. Raises MissingObjectError."""

    def read_all(self, keys: Sequence[str]) -> list[bytes]:
        """Return the bytes of many objects, in order. Raises MissingObjectError."""

    def read_spans(self, spans: Sequence[Span]) -> bytes:
        """Return the bytes of all spans, joined in order. Raises MissingObjectError."""

    def exists(self, key: str) -> bool:
        """Tell whether there is an object."""

    def write(self, key: str, body: bytes | IO[bytes]) -> None:
        """Write an object whole, replacing what was there."""

    def write_all(self, bodies: Mapping[str, bytes]) -> None:
        """Write many objects, in any order, each as `write` does."""

    def delete(self, keys: Sequence[str]) -> None:
        """Delete objects, whether they are there or not."""


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
