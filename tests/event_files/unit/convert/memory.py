"""Lake and ledger kept in memory, for tests of what is done with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import IO

from sluice.event_files.convert.model import OpenRun
from sluice.event_files.ledger.model import ChunkRecord
from sluice.lake.object_store import ByteRange, MissingObjectError


@dataclass
class MemoryObjectStore:
    """The lake bucket: bytes by key."""

    objects: dict[str, bytes] = field(default_factory=dict)

    def read(self, key: str) -> bytes:
        try:
            return self.objects[key]
        except KeyError:
            raise MissingObjectError(key) from None

    def read_all(self, keys: Sequence[str]) -> list[bytes]:
        return [self.read(key) for key in keys]

    def read_ranges(self, spans: Sequence[ByteRange]) -> bytes:
        return b"".join(self.read(span.key)[span.offset : span.offset + span.length] for span in spans)

    def exists(self, key: str) -> bool:
        return key in self.objects

    def write(self, key: str, body: bytes | IO[bytes]) -> None:
        self.objects[key] = body if isinstance(body, bytes) else body.read()

    def write_all(self, bodies: Mapping[str, bytes]) -> None:
        self.objects.update(bodies)

    def delete(self, keys: Sequence[str]) -> None:
        for key in keys:
            self.objects.pop(key, None)

    def keys(self, prefix: str) -> list[str]:
        return sorted(key for key in self.objects if key.startswith(prefix))


@dataclass
class MemoryLedger:
    """Pending chunks and the one open run."""

    pending: list[ChunkRecord] = field(default_factory=list)
    run: OpenRun | None = None
    converted: dict[str, str] = field(default_factory=dict)

    def open_run(self) -> OpenRun | None:
        return self.run

    def begin_run(self, run: OpenRun) -> bool:
        if self.run is not None:
            return False
        self.run = run
        return True

    def take_over(self, run: OpenRun, execution: str) -> bool:
        if self.run != run:
            return False
        self.run = replace(run, execution=execution)
        return True

    def publish_plan(self, run: OpenRun, plan_key: str) -> bool:
        if self.run != run or run.plan_key is not None:
            return False
        self.run = replace(run, plan_key=plan_key)
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

    def mark_converted(self, chunk_ids: Iterable[str], run_id: str) -> None:
        self.converted.update(dict.fromkeys(chunk_ids, run_id))
