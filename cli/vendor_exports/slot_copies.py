"""Copy the files of slots from bucket to bucket inside S3, many at a time, each slot's manifest last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from cli.vendor_exports.missing_hours import File, SlotPlan, SlotRoot, list_slots, same_content
from sluice.aws.runtime import error_code
from sluice.vendor_exports.delivery.model import MANIFEST, Slot

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_MEBIBYTE = 1024 * 1024
_PART_BYTES = 256 * _MEBIBYTE
_MOST_PARTS = 10_000
_LARGEST_MANIFEST = 32 * _MEBIBYTE
_KEPT = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Metadata")

# Together as many as the client has connections.
_SLOTS = 4
_FILES = 28

_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
_TAKEN = frozenset({"412", "PreconditionFailed", "409", "ConditionalRequestConflict"})
_HOPELESS = frozenset({"ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId"})


@dataclass(frozen=True, slots=True)
class ObjectCopy:
    """The copy of a file as it was listed, from one key to another and never over another object.

    boto3's own `copy` takes no condition on the key that is written.
    """

    s3: S3Client
    file: File
    source: Any  # bucket and key, as requests name them; two operations spell the type differently
    target: Any

    def run(self) -> str:
        """Copy the file; return the problem, which is empty when there is none."""
        if self.file.name == MANIFEST:
            return self._copy_manifest()
        absent = "it was gone after the copy"
        try:
            if self.file.size > _PART_BYTES:
                self._copy_in_parts()
            else:
                self._copy_whole()
        except ClientError as error:
            if error_code(error) not in _TAKEN:
                raise
            # A lost answer to an earlier attempt leads here, too: then the copy exists and holds the same.
            absent = "the source's file changed since it was listed"
            if self._target_size() == self.file.size and not same_content(self.s3, self.source, self.target):
                return f"{self.file.size:,} other bytes lie there"
        size = self._target_size()
        if size is None:
            return absent
        return "" if size == self.file.size else f"{size:,} bytes lie there, not {self.file.size:,}"

    def _copy_manifest(self) -> str:
        found = self.s3.get_object(**self.source, IfMatch=self.file.etag)
        manifest = redacted_manifest(found["Body"].read(_LARGEST_MANIFEST))
        if manifest is None:
            return "it holds no list of files"
        self.s3.put_object(**self.target, Body=manifest, IfNoneMatch="*")
        return ""

    def _copy_whole(self) -> None:
        self.s3.copy_object(
            **self.target,
            CopySource=self.source,
            CopySourceIfMatch=self.file.etag,
            IfNoneMatch="*",
            TaggingDirective="REPLACE",  # without tags: copying them needs more permissions
        )

    def _copy_in_parts(self) -> None:
        found: dict[str, Any] = dict(self.s3.head_object(**self.source, IfMatch=self.file.etag))
        kept = {name: found[name] for name in _KEPT if name in found}
        upload = {**self.target, "UploadId": self.s3.create_multipart_upload(**self.target, **kept)["UploadId"]}
        step = max(_PART_BYTES, -(-self.file.size // _MOST_PARTS))
        try:
            parts = [self._copy_part(upload, start, step) for start in range(0, self.file.size, step)]
            self.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, IfNoneMatch="*")
        except BaseException:
            self.s3.abort_multipart_upload(**upload)
            raise

    def _copy_part(self, upload: dict[str, Any], start: int, step: int) -> CompletedPartTypeDef:
        part = upload | {"PartNumber": start // step + 1}
        copied = self.s3.upload_part_copy(
            **part,
            CopySource=self.source,
            CopySourceIfMatch=self.file.etag,
            CopySourceRange=f"bytes={start}-{min(start + step, self.file.size) - 1}",
        )
        return {"PartNumber": part["PartNumber"], "ETag": copied["CopyPartResult"].get("ETag", "")}

    def _target_size(self) -> int | None:
        try:
            return self.s3.head_object(**self.target)["ContentLength"]
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise


def redacted_manifest(manifest: bytes) -> bytes | None:
    """Return a manifest with key and size per file only; None where it is no list of files.

    Older manifests hold presigned URLs, whose signatures must not reach the lake.
    """
    try:
        entries = orjson.loads(manifest)
        kept = [{"key": entry["key"], "size": entry["size"]} for entry in entries]
    except (ValueError, TypeError, KeyError):
        return None
    is_plain = all(isinstance(entry["key"], str) and isinstance(entry["size"], int) for entry in kept)
    return orjson.dumps(kept) if is_plain and isinstance(entries, list) else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of copying a file; `problem` is empty when it was copied."""

    slot: Slot
    file: File
    key: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SlotCopier:
    """Copies files of slots into the lake; calls `advance` after each file."""

    s3: S3Client
    source: SlotRoot
    lake: SlotRoot
    is_busy: Callable[[Slot], bool]
    advance: Callable[[], None]

    def run(self, plans: Sequence[SlotPlan]) -> list[Outcome]:
        """Copy; a file that fails does not stop the others."""
        with _pool(_FILES) as files, _pool(_SLOTS) as slots:
            jobs = [slots.submit(self._copy_slot, plan, files) for plan in plans]
            for job in as_completed(jobs):
                job.result()  # raises the first error
            return [outcome for job in jobs for outcome in job.result()]

    def _copy_slot(self, plan: SlotPlan, pool: ThreadPoolExecutor) -> list[Outcome]:
        obstacle = _problem(lambda: self._obstacle(plan))
        data = [file for file in plan.files if file.name != MANIFEST]
        jobs = [pool.submit(self._copy_file, plan.slot, file, obstacle) for file in data]
        outcomes = [job.result() for job in jobs]
        if any(outcome.problem for outcome in outcomes):
            obstacle = obstacle or "other files of the slot were not copied"
        manifest = [file for file in plan.files if file.name == MANIFEST]
        return outcomes + [self._copy_file(plan.slot, file, obstacle) for file in manifest]

    def _obstacle(self, plan: SlotPlan) -> str:
        """Return why nothing may be copied into a slot's folder now; it was compared some time ago."""
        if self.is_busy(plan.slot):
            return "an export works on this slot"
        found, _ = list_slots(self.s3, self.lake, f"{plan.slot.hour:%Y%m%d/%H}/")
        changed = found.get(plan.slot, {}).keys() != plan.present
        return "the slot's folder changed since it was compared" if changed else ""

    def _copy_file(self, slot: Slot, file: File, obstacle: str) -> Outcome:
        source, target = (
            {"Bucket": root.bucket, "Key": root.key(slot, file.name)} for root in (self.source, self.lake)
        )
        problem = obstacle or _problem(ObjectCopy(self.s3, file, source, target).run)
        self.advance()
        return Outcome(slot, file, target["Key"], problem)


def _problem(step: Callable[[], str]) -> str:
    """Return the problem that a step reports, or the error that it ends with."""
    try:
        return step()
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and error_code(error) in _HOPELESS:
            raise
        return str(error)


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
