"""Which files to upload, and under which key each."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.platform.errors import CliError

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
        _check(found)
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


def _check(file: InputFile) -> None:
    try:
        size = len(file.key.encode())
    except UnicodeEncodeError as error:
        raise CliError(f"The name of {file.path!r} is not UTF-8, so S3 cannot store it.", "Rename the file.") from error
    if size > MAX_KEY_BYTES:
        raise CliError(f"The key of {file.path} would have {size:,} bytes; S3 allows {MAX_KEY_BYTES:,}.", "Rename it.")
    if not os.access(file.path, os.R_OK):
        raise CliError(f"{file.path} cannot be read.", "Check the file's permissions.")
