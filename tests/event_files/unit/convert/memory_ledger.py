"""Pending chunks and the open run, kept in memory."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sluice.event_files.ledger.model import ChunkRecord, LeftOut, OpenRun


@dataclass
class RunningExecutions:
    """Names of the executions that are running."""

    names: set[str] = field(default_factory=set)

    def is_running(self, execution: str) -> bool:
        return execution in self.names


@dataclass
class MemoryLedger:
    """The ledger as conversion sees it."""

    pending: list[ChunkRecord] = field(default_factory=list)
    run: OpenRun | None = None
    converted: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, LeftOut] = field(default_factory=dict)

    def open_run(self) -> OpenRun | None:
        return self.run

    def claim_run(self, wanted: OpenRun, ended: str = "") -> OpenRun:
        if self.run is None:
            self.run = wanted
        elif self.run.execution == ended:
            self.run = replace(self.run, execution=wanted.execution)
        return self.run

    def publish_plan(self, run: OpenRun, plan_key: str) -> bool:
        if self.run != run or run.plan_key is not None:
            return False
        self.run = replace(run, plan_key=plan_key)
        return True

    def replace_plan(self, run_id: str, old: str, new: str) -> bool:
        if self.run is None or self.run.run_id != run_id or self.run.plan_key not in {old, new}:
            return False
        self.run = replace(self.run, plan_key=new)
        return True

    def drop_run(self, run: OpenRun) -> bool:
        if self.run != run or run.plan_key is not None:
            return False
        self.run = None
        return True

    def close_run(self, run_id: str) -> None:
        if self.run and self.run.run_id == run_id:
            self.run = None

    def pending_chunks(self) -> list[ChunkRecord]:
        return [chunk for chunk in self.pending if chunk.chunk_id not in self.converted]

    def note_left_out(self, left_out: Iterable[LeftOut]) -> None:
        self.left_out.update({each.chunk_id: each for each in left_out})

    def mark_converted(self, chunk_ids: Iterable[str], run_id: str) -> None:
        self.converted.update(dict.fromkeys(chunk_ids, run_id))
