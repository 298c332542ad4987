"""Upload files to the source bucket, many at a time, unless the ledger knows them already."""

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

from cli.event_files.producer_bucket import ProducerBucket
from cli.platform.console import CliError
from sluice.aws.runtime import Item
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger
from sluice.event_files.ledger.model import SourceObject, Status

MAX_KEY_BYTES = 1024
"""S3's limit, in bytes of UTF-8."""

_THREADS = 16
_BATCH = 100  # files that one thread takes at once: as many as one request to the ledger finds


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file to upload: its absolute path, and its key in the source bucket."""

    path: Path
    key: str


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that was uploaded, or is known already; `before` is the object's item of the ledger before this upload."""

    source: SourceObject
    size: int
    before: Item | None = None

    @property
    def known(self) -> bool:
        """Return whether the pipeline has finished these bytes under this key before."""
        return self.before is not None and Status(self.before["status"]).is_final


@dataclass(frozen=True, slots=True)
class Uploader:
    """Puts files into the source bucket of a stage."""

    bucket: ProducerBucket
    ledger: DynamoLedger

    def upload(self, files: Sequence[InputFile]) -> Iterator[Uploaded]:
        """Upload what is new; yield every file as soon as it is uploaded or found in the ledger.

        Raises:
            CliError: A file cannot be read. What was uploaded before stays, and is known the next time.
        """
        size = min(_BATCH, -(-len(files) // _THREADS))
        with ThreadPoolExecutor(_THREADS) as pool:
            jobs = [pool.submit(self._upload_batch, files[i : i + size]) for i in range(0, len(files), size)]
            try:
                for job in as_completed(jobs):
                    yield from job.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def _upload_batch(self, files: Sequence[InputFile]) -> list[Uploaded]:
        sources = {file: SourceObject(self.bucket.name, file.key, _md5(file)) for file in files}
        before = self.ledger.items(sources.values())
        known = {
            file: Uploaded(source, file.path.stat().st_size, before.get(source)) for file, source in sources.items()
        }
        return [found if found.known else self._put(file, found) for file, found in known.items()]

    def _put(self, file: InputFile, wanted: Uploaded) -> Uploaded:
        with file.path.open("rb") as body:
            etag = self.bucket.put(file.key, body)
        return replace(wanted, source=replace(wanted.source, etag=etag))


def _md5(file: InputFile) -> str:
    """Return the ETag that the object will have, unless the bucket encrypts with a key of its own."""
    try:
        with file.path.open("rb") as body:
            return hashlib.file_digest(body, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
    except OSError as error:
        raise CliError(f"{file.path} cannot be read: {error.strerror}.", "Check the file's permissions.") from error


def input_files(paths: Sequence[Path]) -> list[InputFile]:
    """Return the files named by `paths` (a directory stands for all files below it), each with a key of its own.

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
        below = sorted(_files_below(absolute))
        if not below:
            raise CliError(f"There is no file in {path}.", "Name files, or a directory that holds some.")
        yield from ((file, file.relative_to(absolute).as_posix()) for file in below)
    elif absolute.is_file():
        yield absolute, absolute.name
    else:
        raise CliError(f"There is no file {path}.", "Name files or directories that exist.")


def _files_below(directory: Path) -> Iterator[Path]:
    """Yield the files below a directory, through links as well; `rglob` passes over these, and over what is denied."""

    def refuse(error: OSError) -> None:
        raise CliError(f"{error.filename} cannot be read: {error.strerror}.", "Check its permissions and links.")

    for folder, _, names in os.walk(directory, onerror=refuse, followlinks=True):
        for path in (Path(folder, name) for name in names):
            if path.is_file():
                yield path
            elif path.is_symlink():
                raise CliError(f"{path} is a link to no file.", "Remove it, or restore what it leads to.")


def _distinct(named: dict[Path, str]) -> dict[Path, str]:
    """Return the files with distinct keys: longer ones where they clash or, if these clash, everywhere."""
    some = named | _relative_to_common_parent(_clashes(named))
    return some if not _clashes(some) else _relative_to_common_parent(named)


def _clashes(named: dict[Path, str]) -> list[Path]:
    count = Counter(named.values())
    return [path for path, key in named.items() if count[key] > 1]


def _relative_to_common_parent(files: Iterable[Path]) -> dict[Path, str]:
    paths = list(files)
    parent = os.path.commonpath([path.parent for path in paths]) if paths else ""
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
