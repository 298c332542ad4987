"""Upload files to the source bucket, many at a time, unless the ledger knows them already."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.event_files.ingest.files import InputFile
from cli.event_files.ingest.records import Records
from cli.platform.errors import CliError
from sluice.event_files.ledger.ledger_items import Item, is_final
from sluice.event_files.ledger.model import SourceObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

THREADS = 16

# Files that one thread takes at once: as many as one look into the ledger finds.
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file on its way, or found to be known.

    Attributes:
        file: The file.
        source: The object it became, as the ledger names it.
        size: Its bytes.
        before: The ledger's record from before this upload, if there was one.
    """

    file: InputFile
    source: SourceObject
    size: int
    before: Item | None = None

    @property
    def known(self) -> bool:
        """Whether the pipeline is done with these very bytes under this very key."""
        return self.before is not None and is_final(self.before)


@dataclass(frozen=True, slots=True)
class Uploader:
    """Puts files into the source bucket of a stage."""

    s3: S3Client
    records: Records
    bucket: str

    def upload(self, files: Sequence[InputFile]) -> Iterator[Uploaded]:
        """Upload what is new; gives every file back as soon as it is uploaded or found in the ledger.

        Raises:
            CliError: A file cannot be read. What was uploaded before stays, and is known the next time.
        """
        size = min(_BATCH, -(-len(files) // THREADS))
        with ThreadPoolExecutor(THREADS) as pool:
            jobs = [pool.submit(self._upload_batch, files[i : i + size]) for i in range(0, len(files), size)]
            yield from _results(pool, jobs)

    def _upload_batch(self, files: Sequence[InputFile]) -> list[Uploaded]:
        looked_up = [(file, SourceObject(self.bucket, file.key, _md5(file))) for file in files]
        records = self.records.of([source for _, source in looked_up])
        return [self._upload_one(file, source, records.get(source)) for file, source in looked_up]

    def _upload_one(self, file: InputFile, source: SourceObject, before: Item | None) -> Uploaded:
        size = file.path.stat().st_size
        found = Uploaded(file, source, size, before)
        if found.known:
            return found
        with file.path.open("rb") as body:
            etag = self.s3.put_object(Bucket=self.bucket, Key=file.key, Body=body)["ETag"].strip('"')
        return Uploaded(file, SourceObject(self.bucket, file.key, etag), size, before)


def _md5(file: InputFile) -> str:
    """What the object's ETag will be, unless the bucket encrypts with a key of its own."""
    try:
        with file.path.open("rb") as body:
            return hashlib.file_digest(body, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise CliError(f"{file.path} cannot be read: {error.strerror}.", "Check the file's permissions.") from error


def _results(pool: ThreadPoolExecutor, jobs: list[Future[list[Uploaded]]]) -> Iterator[Uploaded]:
    try:
        for job in as_completed(jobs):
            yield from job.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
