"""Copy the files of slots from bucket to bucket inside S3, many at a time, each slot's manifest last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.vendor_exports.bucket_comparison import SlotRoot, listing
from cli.vendor_exports.missing_hours import File, SlotPlan, redacted_manifest, sort_in
from sluice.aws.runtime import error_code
from sluice.vendor_exports.delivery.slots import MANIFEST, Slot

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

MEBIBYTE = 1024 * 1024

_MOST_PARTS = 10_000
_LARGEST_MANIFEST = 32 * MEBIBYTE
_KEPT = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Metadata")
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})

# Together as many as the client has connections.
_SLOTS = 4
_FILES = 28

_TAKEN = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
_HOPELESS = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId"})


@dataclass(frozen=True, slots=True)
class ObjectCopy:
    """A copy of an object as it was listed."""

    bucket: str
    key: str
    size: int
    etag: str
    to_bucket: str
    to_key: str

    @property
    def source(self) -> Any:  # noqa: ANN401 - a dictionary that two operations spell differently
        """The object to copy, as requests name it."""
        return {"Bucket": self.bucket, "Key": self.key}


@dataclass(frozen=True, slots=True)
class ObjectCopier:
    """Copies objects as they were listed and never over another; larger ones in parts of `part_bytes`.

    boto3's own `copy` takes no condition on the key that is written.
    """

    s3: S3Client
    part_bytes: int = 256 * MEBIBYTE

    def copy(self, copy: ObjectCopy) -> None:
        """Copy an object; ClientError 412 when it changed since it was listed, or the key to write is taken."""
        if copy.size > self.part_bytes:
            self._copy_in_parts(copy)
            return
        self.s3.copy_object(
            Bucket=copy.to_bucket,
            Key=copy.to_key,
            CopySource=copy.source,
            CopySourceIfMatch=copy.etag,
            IfNoneMatch="*",
            TaggingDirective="REPLACE",  # without tags: copying them needs more permissions
        )

    def copy_manifest(self, copy: ObjectCopy) -> str:
        """Write a manifest without URLs; return the problem when the object is none. Raises ClientError as `copy`."""
        found = self.s3.get_object(Bucket=copy.bucket, Key=copy.key, IfMatch=copy.etag)
        manifest = redacted_manifest(found["Body"].read(_LARGEST_MANIFEST))
        if manifest is None:
            return "it holds no list of files"
        self.s3.put_object(Bucket=copy.to_bucket, Key=copy.to_key, Body=manifest, IfNoneMatch="*")
        return ""

    def size(self, copy: ObjectCopy) -> int | None:
        """Return the size of the object at the target; None when there is none."""
        try:
            return self.s3.head_object(Bucket=copy.to_bucket, Key=copy.to_key)["ContentLength"]
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise

    def _copy_in_parts(self, copy: ObjectCopy) -> None:
        found: dict[str, Any] = dict(self.s3.head_object(Bucket=copy.bucket, Key=copy.key, IfMatch=copy.etag))
        kept = {name: found[name] for name in _KEPT if name in found}
        target: Any = {"Bucket": copy.to_bucket, "Key": copy.to_key}
        target["UploadId"] = self.s3.create_multipart_upload(**target, **kept)["UploadId"]
        try:
            parts = [self._copy_part(copy, target, *part) for part in enumerate(self._ranges(copy.size), start=1)]
            self.s3.complete_multipart_upload(**target, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
        except BaseException:
            self.s3.abort_multipart_upload(**target)
            raise

    def _copy_part(self, copy: ObjectCopy, target: Any, number: int, part: str) -> CompletedPartTypeDef:  # noqa: ANN401
        answer = self.s3.upload_part_copy(
            **target,
            PartNumber=number,
            CopySource=copy.source,
            CopySourceIfMatch=copy.etag,
            CopySourceRange=part,
        )
        return {"PartNumber": number, "ETag": answer["CopyPartResult"].get("ETag", "")}

    def _ranges(self, size: int) -> Iterator[str]:
        step = max(self.part_bytes, -(-size // _MOST_PARTS))
        for start in range(0, size, step):
            yield f"bytes={start}-{min(start + step, size) - 1}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of copying a file; `problem` is empty when it was copied."""

    slot: Slot
    file: File
    key: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SlotCopier:
    """Copies files of slots into the lake."""

    objects: ObjectCopier
    source: SlotRoot
    lake: SlotRoot
    is_busy: Callable[[Slot], bool]

    def run(self, plans: Sequence[SlotPlan], advance: Callable[[], None] = lambda: None) -> list[Outcome]:
        """Copy; `advance` is called after each file. A file that fails does not stop the others."""
        with _pool(_FILES) as files, _pool(_SLOTS) as slots:
            jobs = [slots.submit(self._copy_slot, plan, files, advance) for plan in plans]
            for job in as_completed(jobs):
                job.result()  # raises the first error
            return [outcome for job in jobs for outcome in job.result()]

    def _copy_slot(self, plan: SlotPlan, pool: ThreadPoolExecutor, advance: Callable[[], None]) -> list[Outcome]:
        obstacle = _problem(lambda: self._obstacle(plan))
        data = [file for file in plan.files if file.name != MANIFEST]
        jobs = [pool.submit(self._copy_file, plan.slot, file, obstacle, advance) for file in data]
        outcomes = [job.result() for job in jobs]
        if any(outcome.problem for outcome in outcomes):
            obstacle = obstacle or "other files of the slot were not copied"
        manifest = [file for file in plan.files if file.name == MANIFEST]
        return outcomes + [self._copy_file(plan.slot, file, obstacle, advance) for file in manifest]

    def _obstacle(self, plan: SlotPlan) -> str:
        """Return why nothing may be copied into a slot's folder now; it was compared some time ago."""
        if self.is_busy(plan.slot):
            return "an export works on this slot"
        prefix = self.lake.key(plan.slot, "")
        found, _ = sort_in(self.lake.prefix, listing(self.objects.s3, self.lake.bucket, prefix))
        changed = found.get(plan.slot, {}).keys() != plan.present
        return "the slot's folder changed since it was compared" if changed else ""

    def _copy_file(self, slot: Slot, file: File, obstacle: str, advance: Callable[[], None]) -> Outcome:
        source, target = self.source.key(slot, file.name), self.lake.key(slot, file.name)
        copy = ObjectCopy(self.source.bucket, source, file.size, file.etag, self.lake.bucket, target)
        step = self.objects.copy_manifest if file.name == MANIFEST else self._copy_and_verify
        problem = obstacle or _problem(lambda: step(copy))
        advance()
        return Outcome(slot, file, target, problem)

    def _copy_and_verify(self, copy: ObjectCopy) -> str:
        try:
            self.objects.copy(copy)
        except ClientError as error:
            if error_code(error) not in _TAKEN:
                raise
            # A lost answer to an earlier attempt leads here, too: then the copy exists and has the right size.
            return _verdict(copy, self.objects.size(copy), "the source's file changed since it was listed")
        return _verdict(copy, self.objects.size(copy), "it was gone after the copy")


def _problem(step: Callable[[], str]) -> str:
    """Return the problem that a step reports, or the error that it ends with."""
    try:
        return step()
    except ClientError as error:
        code = error_code(error)
        if code in _HOPELESS:
            raise
        return f"{error.operation_name}: {error.response.get('Error', {}).get('Message', '')} ({code})"
    except BotoCoreError as error:
        return str(error)


def _verdict(copy: ObjectCopy, size: int | None, absent: str) -> str:
    if size is None:
        return absent
    return "" if size == copy.size else f"{size:,} bytes lie there, not {copy.size:,}"


@contextmanager
def _pool(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Provide threads that begin nothing more after an error or an interrupt."""
    pool = ThreadPoolExecutor(threads)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
