"""Doubles of an export's ports, in memory."""

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sluice.vendor_exports.client.api import Accepted, Environment, JobReport, ListedFile, Refused
from sluice.vendor_exports.delivery.model import ExpectedFile, Export, ExportResult, Job, Slot
from sluice.vendor_exports.delivery.slot_records import SlotRecord
from sluice.vendor_exports.delivery.transfers import Download, Part, Provenance, RangeRefusedError, StoredFile, Upload

SLOT = Slot(datetime(2026, 3, 1, 12, tzinfo=UTC))
EXPORT = Export(Environment.TEST, SLOT, "arn:aws:states:here:1:execution:export:one")
FOLDER = "DEV/IMOSDL/Hourly/20260301/12/"
RUN = "runs/exports/20260301-12/one/"
GUID = "guid"


def md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def expected_file(name: str, size: int) -> ExpectedFile:
    return ExpectedFile(f"ACME/{name}", name, size)


def provenance_of(etag: str = "", job: str = GUID, execution: str = "one", *, refetched: bool = False) -> Provenance:
    return Provenance(job, execution, etag, refetched)


@dataclass
class MemoryStoredFiles:
    """A bucket: files, multipart uploads with the notes of them, and a list of the writes."""

    objects: dict[str, tuple[bytes, Provenance | None]] = field(default_factory=dict)
    uploads: dict[str, tuple[str, Provenance, dict[int, bytes]]] = field(default_factory=dict)
    noted: dict[str, Upload] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    fails_at: Callable[[str], bool] = lambda _: False

    def head(self, key: str) -> StoredFile | None:
        found = self.objects.get(key)
        return StoredFile(len(found[0]), found[1]) if found else None

    def heads(self, keys: Sequence[str]) -> list[StoredFile | None]:
        return [self.head(key) for key in keys]

    def put(self, key: str, body: bytes, provenance: Provenance) -> None:
        self._do(f"put {key}")
        self.objects[key] = body, provenance

    def begin(self, key: str, provenance: Provenance) -> str:
        self._do(f"begin {key}")
        upload_id = f"upload-{len(self.done)}"
        self.uploads[upload_id] = key, provenance, {}
        return upload_id

    def parts(self, key: str, upload_id: str) -> tuple[Part, ...]:
        if upload_id not in self.uploads:
            return ()
        assert self.uploads[upload_id][0] == key
        arrived = sorted(self.uploads[upload_id][2].items())
        return tuple(part(number, body) for place, (number, body) in enumerate(arrived, 1) if number == place)

    def put_part(self, key: str, upload_id: str, number: int, body: bytes) -> Part:
        self._do(f"part {number}")
        assert self.uploads[upload_id][0] == key
        self.uploads[upload_id][2][number] = body
        return part(number, body)

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        self._do(f"complete {key}")
        where, provenance, bodies = self.uploads[upload_id]
        assert where == key
        assert list(parts) == [part(number, bodies[number]) for number in range(1, len(parts) + 1)]
        self.objects[key] = b"".join(bodies[each.number] for each in parts), provenance
        del self.uploads[upload_id]

    def abort(self, key: str, upload_id: str) -> None:
        self._do(f"abort {key}")
        self.uploads.pop(upload_id, None)

    def begun(self, key: str) -> Upload | None:
        return self.noted.get(key)

    def note(self, key: str, upload: Upload) -> None:
        self.noted[key] = upload

    def forget(self, key: str) -> None:
        self.noted.pop(key, None)

    def _do(self, what: str) -> None:
        if self.fails_at(what):
            raise ConnectionError(what)
        self.done.append(what)


def part(number: int, body: bytes) -> Part:
    return Part(number, md5(body), base64.b64encode(zlib.crc32(body).to_bytes(4)).decode(), len(body))


@dataclass
class Server:
    """A server of files: its headers, its ranges and its faults can be set."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    lengths: bool = True
    etag: Callable[[bytes], str] = md5
    md5: Callable[[bytes], str] = md5
    chunk: int = 1 << 20
    before: Callable[[str], None] = lambda _: None
    sends: Callable[[bytes], bytes] = lambda body: body
    breaks_after: Callable[[int], Exception | None] = lambda _: None
    opened: list[tuple[str, int]] = field(default_factory=list)

    @contextmanager
    def open(self, url: str, offset: int) -> Iterator[Download]:
        self.opened.append((url, offset))
        self.before(url)
        body = self.bodies[url]
        if offset and (offset >= len(body) or not self.ranges):
            raise RangeRefusedError("the server answered 416 or 200")
        sent = self.sends(body[offset:])
        yield Download(len(body) if self.lengths else None, self.etag(body), self.md5(body), self._chunks(sent))

    def _chunks(self, sent: bytes) -> Iterator[bytes]:
        for start in range(0, len(sent), self.chunk):
            yield sent[start : start + self.chunk]
            error = self.breaks_after(start + self.chunk)
            if error:
                raise error


@dataclass
class OneSlot:
    """The record of `SLOT`, of which `EXPORT` has the lease."""

    record: SlotRecord = field(default_factory=lambda: SlotRecord(EXPORT.execution))

    def get(self, environment: Environment, slot: Slot) -> SlotRecord:
        assert (environment, slot) == (EXPORT.environment, SLOT)
        return self.record

    def claim(self, export: Export, ended: str, now: datetime, until: datetime) -> SlotRecord:
        raise NotImplementedError

    def put_job(self, export: Export, job: Job) -> None:
        assert export == EXPORT
        self.record = replace(self.record, job=job)

    def put_checked(self, export: Export, result: ExportResult) -> None:
        assert export == EXPORT
        self.record = replace(self.record, checked=result)

    def close(self, export: Export, result: ExportResult) -> None:
        assert export == EXPORT
        self.record = replace(self.record, execution="", result=result)


def slot_with(job: Job | None = None, result: ExportResult | None = None) -> OneSlot:
    return OneSlot(SlotRecord(EXPORT.execution, job, result=result))


Answer = Accepted | Refused | JobReport | list[ListedFile] | Exception


@dataclass
class ScriptedVendor:
    """Gives the answers of a script; the last one is repeated."""

    script: list[Answer] = field(default_factory=list)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def trigger(self, environment: Environment) -> Any:
        return self._answer("trigger", environment)

    def status(self, job_guid: str) -> Any:
        return self._answer("status", job_guid)

    def files(self, environment: Environment, job_guid: str, minutes: int) -> Any:
        return self._answer("files", environment, job_guid, minutes)

    def _answer(self, *what: Any) -> Any:
        self.asked.append(what)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def listed_file(name: str, size: object, url: str = "") -> ListedFile:
    return ListedFile(f"ACME/{name}", url or f"https://host/{name}", size)
