"""Upload files to the source bucket, many at a time, unless the ledger knows them already."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cli.platform.console import CliError
from sluice.aws.dynamodb import Item
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger, is_final, source_key
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


MAX_KEY_BYTES = 1024
"""S3's limit, in bytes of UTF-8."""


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to upload: where it lies (absolute) and the key it gets in the source bucket."""

    path: Path
    key: str


def input_files(paths: Sequence[Path]) -> list[InputFile]:
    """The files named by `paths` (a directory stands for all files below it), each with its own key.

    A file's key is its name; below a directory, its path relative to that directory. Inputs whose keys would be the
    same get their paths relative to the inputs' common parent instead.

    Raises:
        CliError: A path does not exist, cannot be read, holds no file, or gives a key that S3 does not take.
    """
    named: dict[Path, str] = {}
    for path in paths:
        for file, key in _files_of(path):
            named.setdefault(file, key)
    files = [InputFile(path, key) for path, key in _distinct(named).items()]
    for found in files:
        _assert_uploadable(found)
    return files


def _files_of(path: Path) -> Iterator[tuple[Path, str]]:
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links and rename the files
    if absolute.is_dir():
        below = sorted(file for file in absolute.rglob("*") if file.is_file())
        if not below:
            raise CliError(f"There is no file in {path}.", "Name files, or a directory that holds some.")
        yield from ((file, file.relative_to(absolute).as_posix()) for file in below)
    elif absolute.is_file():
        yield absolute, absolute.name
    else:
        raise CliError(f"There is no file {path}.", "Name files or directories that exist.")


def _distinct(named: dict[Path, str]) -> dict[Path, str]:
    """The same files with keys made distinct: first only where they clash, then, if need be, everywhere."""
    clashing = _clashes(named)
    some = named | _relative_to_common_parent(clashing)
    return some if not _clashes(some) else _relative_to_common_parent(named)


def _clashes(named: dict[Path, str]) -> list[Path]:
    count = Counter(named.values())
    return [path for path, key in named.items() if count[key] > 1]


def _relative_to_common_parent(files: Iterable[Path]) -> dict[Path, str]:
    paths = list(files)
    if not paths:
        return {}
    parent = Path(os.path.commonpath([path.parent for path in paths]))
    return {path: path.relative_to(parent).as_posix() for path in paths}


def _assert_uploadable(file: InputFile) -> None:
    try:
        size = len(file.key.encode())
    except UnicodeEncodeError as error:
        raise CliError(f"The name of {file.path!r} is not UTF-8, so S3 cannot store it.", "Rename the file.") from error
    if size > MAX_KEY_BYTES:
        raise CliError(f"The key of {file.path} would have {size:,} bytes; S3 allows {MAX_KEY_BYTES:,}.", "Rename it.")
    if not os.access(file.path, os.R_OK):
        raise CliError(f"{file.path} cannot be read.", "Check the file's permissions.")


class Records(Protocol):
    """Where records of source objects are found."""

    def of(self, sources: Sequence[SourceObject]) -> Mapping[SourceObject, Item]:
        """The records of those of `sources` that have one."""


@dataclass(frozen=True, slots=True)
class LedgerRecords:
    """The records in a stage's ledger."""

    ledger: DynamoLedger

    def of(self, sources: Sequence[SourceObject]) -> Mapping[SourceObject, Item]:
        """The records of those of `sources` that have one."""
        by_key = {tuple(source_key(source).values()): source for source in sources}
        return {by_key[item["pk"], item["sk"]]: item for item in self.ledger.items(by_key.values())}
