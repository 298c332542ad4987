"""Copy the files of slots, many at a time, the proof of each slot last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from cli.vendor_exports.backfill.leases import IsBusy
from cli.vendor_exports.backfill.missing_hours import File, SlotPlan, sort_in
from cli.vendor_exports.backfill.objects import Copy, ObjectCopier
from cli.vendor_exports.backfill.places import Place, listing
from sluice.aws.clients import error_code
from sluice.vendor_exports.delivery.slots import MANIFEST, Slot

# Together as many as the client has connections.
_SLOTS = 4
_FILES = 28

_TAKEN = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
_HOPELESS = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file; `problem` is empty when it was copied."""

    slot: Slot
    file: File
    key: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Copying:
    """Copies files of slots into the lake."""

    objects: ObjectCopier
    source: Place
    lake: Place
    is_busy: IsBusy

    def run(self, plans: Sequence[SlotPlan], advance: Callable[[], None] = lambda: None) -> list[Outcome]:
        """Copy; `advance` is called after each file. A file that fails is told, and does not stop the others."""
        with _pool(_FILES) as files, _pool(_SLOTS) as slots:
            jobs = [slots.submit(self._copy_slot, plan, files, advance) for plan in plans]
            _first_error(jobs)
            return [outcome for job in jobs for outcome in job.result()]

    def _copy_slot(self, plan: SlotPlan, pool: ThreadPoolExecutor, advance: Callable[[], None]) -> list[Outcome]:
        obstacle = _problem(lambda: self._obstacle(plan))
        data = [file for file in plan.files if file.name != MANIFEST]
        jobs = [pool.submit(self._copy_file, plan.slot, file, obstacle, advance) for file in data]
        outcomes = [job.result() for job in jobs]
        if any(outcome.problem for outcome in outcomes):
            obstacle = obstacle or "it waits for the slot's other files"
        proof = [file for file in plan.files if file.name == MANIFEST]
        return outcomes + [self._copy_file(plan.slot, file, obstacle, advance) for file in proof]

    def _obstacle(self, plan: SlotPlan) -> str:
        """Why nothing may be copied into a slot's folder; it may be long ago that it was compared."""
        if self.is_busy(plan.slot):
            return "an export works on this slot"
        prefix = self.lake.key(plan.slot, "")
        found, _ = sort_in(self.lake.root, listing(self.objects.s3, self.lake.bucket, prefix))
        changed = found.get(plan.slot, {}).keys() != plan.present
        return "others changed the slot's folder since it was compared" if changed else ""

    def _copy_file(self, slot: Slot, file: File, obstacle: str, advance: Callable[[], None]) -> Outcome:
        source, target = self.source.key(slot, file.name), self.lake.key(slot, file.name)
        copy = Copy(self.source.bucket, source, file.size, file.etag, self.lake.bucket, target)
        step = self._copy_proof if file.name == MANIFEST else self._copy_and_verify
        problem = obstacle or _problem(lambda: step(copy))
        advance()
        return Outcome(slot, file, target, problem)

    def _copy_and_verify(self, copy: Copy) -> str:
        try:
            self.objects.copy(copy)
        except ClientError as error:
            if error_code(error) not in _TAKEN:
                raise
            # Also after an answer that was lost on its way: then the file is ours, and of its size.
            return _verdict(copy, self.objects.size(copy), "the source's file changed since it was listed")
        return _verdict(copy, self.objects.size(copy), "it was gone after the copy")

    def _copy_proof(self, copy: Copy) -> str:
        return "" if self.objects.copy_proof(copy) else "it is no list of files"


def _problem(step: Callable[[], str]) -> str:
    """What a step says is wrong, or the error that it ends with."""
    try:
        return step()
    except ClientError as error:
        code = error_code(error)
        if code in _HOPELESS:
            raise
        return f"{error.operation_name}: {error.response.get('Error', {}).get('Message', '')} ({code})"
    except BotoCoreError as error:
        return str(error)


def _verdict(copy: Copy, size: int | None, absent: str) -> str:
    if size is None:
        return absent
    return "" if size == copy.size else f"{size:,} bytes lie there, not {copy.size:,}"


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that begin nothing more after an error or an interrupt."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _first_error(jobs: Sequence[Future[list[Outcome]]]) -> None:
    for job in as_completed(jobs):
        job.result()
