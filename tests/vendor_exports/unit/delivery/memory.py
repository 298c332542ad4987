"""Everything an export needs of the outside world, in memory."""

import base64
import hashlib
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sluice.vendor_exports.client.answers import Accepted, JobReport, Offer, Refused
from sluice.vendor_exports.delivery.model import Account, Job, Landed, Lease, Promise, Provenance
from sluice.vendor_exports.delivery.ports import Download, LeaseLostError, Part
from sluice.vendor_exports.delivery.slots import Environment, Slot

SLOT = Slot(datetime(2026, 3, 1, 12, tzinfo=UTC))
LEASE = Lease(Environment.TEST, SLOT, "arn:aws:states:here:1:execution:export:one")
FOLDER = "DEV/IMOSDL/Hourly/20260301/12/"
RUN = "runs/exports/20260301-12/one/"
GUID = "guid"


def md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def promise(name: str, size: int) -> Promise:
    return Promise(f"ACME/{name}", name, size)


def came(etag: str = "", job: str = GUID, execution: str = "one", *, refetched: bool = False) -> Provenance:
    return Provenance(job, execution, etag, refetched)


@dataclass
class MemoryLanding:
    """A bucket: objects, uploads in parts, and what was done to it."""

    objects: dict[str, tuple[bytes, Provenance | None]] = field(default_factory=dict)
    uploads: dict[str, tuple[str, Provenance, dict[int, bytes]]] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    fails_at: Callable[[str], bool] = lambda _: False

    def head(self, key: str) -> Landed | None:
        found = self.objects.get(key)
        return Landed(len(found[0]), found[1]) if found else None

    def heads(self, keys: Sequence[str]) -> list[Landed | None]:
        return [self.head(key) for key in keys]

    def put(self, key: str, body: bytes, provenance: Provenance) -> None:
        self._do(f"put {key}")
        self.objects[key] = body, provenance

    def begin(self, key: str, provenance: Provenance) -> str:
        self._do(f"begin {key}")
        upload_id = f"upload-{len(self.done)}"
        self.uploads[upload_id] = key, provenance, {}
        return upload_id

    def parts(self, key: str, upload_id: str) -> tuple[Part, ...] | None:
        if upload_id not in self.uploads:
            return None
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

    def _do(self, what: str) -> None:
        if self.fails_at(what):
            raise ConnectionError(what)
        self.done.append(what)


def part(number: int, body: bytes) -> Part:
    return Part(number, md5(body), base64.b64encode(zlib.crc32(body).to_bytes(4)).decode(), len(body))


@dataclass
class MemoryUploads:
    """Which uploads were begun."""

    noted: dict[str, tuple[str, Provenance]] = field(default_factory=dict)

    def begun(self, key: str) -> tuple[str, Provenance] | None:
        return self.noted.get(key)

    def note(self, key: str, upload_id: str, provenance: Provenance) -> None:
        self.noted[key] = upload_id, provenance

    def forget(self, key: str) -> None:
        self.noted.pop(key, None)


@dataclass
class Server:
    """A server of files, with habits: what it says of them, and what it does about ranges."""

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
        assert offset < len(body) or not offset or not self.ranges, "a server answers 416"
        start = offset if self.ranges else 0
        sent = self.sends(body[start:])
        length = len(body) - start if self.lengths else None
        yield Download(start, length, self.etag(body), self.md5(body), self._chunks(sent))

    def _chunks(self, sent: bytes) -> Iterator[bytes]:
        for start in range(0, len(sent), self.chunk):
            yield sent[start : start + self.chunk]
            error = self.breaks_after(start + self.chunk)
            if error:
                raise error


@dataclass
class MemorySlots:
    """Records of slots; `between` happens before every call."""

    records: dict[tuple[Environment, Slot], dict[str, Any]] = field(default_factory=dict)
    between: Callable[[], None] = lambda: None

    def record(self, lease: Lease) -> dict[str, Any]:
        return self.records.setdefault((lease.environment, lease.slot), {})

    def claim(self, lease: Lease, now: datetime, until: datetime) -> str | None:
        self.between()
        record = self.record(lease)
        owner: str | None = record.get("owner")
        if owner not in {None, lease.execution} and record["until"] >= now:
            return owner
        self._take(record, lease, until)
        return None

    def take_over(self, lease: Lease, owner: str, until: datetime) -> bool:
        self.between()
        record = self.record(lease)
        if record.get("owner") != owner:
            return False
        self._take(record, lease, until)
        return True

    def job(self, environment: Environment, slot: Slot) -> Job | None:
        self.between()
        job: Job | None = self.records.get((environment, slot), {}).get("job")
        return job

    def put_job(self, lease: Lease, job: Job) -> None:
        self._own(lease)["job"] = job

    def put_findings(self, lease: Lease, account: Account) -> None:
        self._own(lease)["findings"] = account

    def findings(self, lease: Lease) -> Account | None:
        found: Account | None = self.record(lease).get("findings")
        return found

    def close(self, lease: Lease, account: Account) -> None:
        record = self.record(lease)
        if record.get("owner", lease.execution) != lease.execution:
            raise LeaseLostError
        record["account"] = account
        record.pop("owner", None)

    def account(self, environment: Environment, slot: Slot) -> Account | None:
        found: Account | None = self.records.get((environment, slot), {}).get("account")
        return found

    def _take(self, record: dict[str, Any], lease: Lease, until: datetime) -> None:
        record.update(owner=lease.execution, until=until)
        record.pop("findings", None)

    def _own(self, lease: Lease) -> dict[str, Any]:
        record = self.record(lease)
        if record.get("owner") != lease.execution:
            raise LeaseLostError
        return record


Answer = Accepted | Refused | JobReport | list[Offer] | Exception


@dataclass
class Vendor:
    """Gives answers of a script; the last one for ever."""

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


def offer(name: str, size: object, url: str = "") -> Offer:
    return Offer(f"ACME/{name}", url or f"https://host/{name}", size)


def refetched(provenance: Provenance) -> Provenance:
    return replace(provenance, refetched=True)
