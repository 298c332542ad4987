"""Faults of the list of files, and of what files hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from cli.simulator.content import Beginning, Content, Generated, Stored
from cli.simulator.exchange import Call, Request
from cli.simulator.faults import wire
from cli.simulator.faults.base import Entry, Fault, Target

A_FILE = "Voyage_0.json.gz"
"""A file of every export."""

HOSTILE_KEYS = (
    "../../x",
    "a/b/..",
    "/etc/passwd",
    "a\\b",
    "..\\..\\x",
    "a/b/_PresignedUrls.json",
    "",
    "a/b/",
    "a/b/Voyage_\x00\r\n\x1b[31m.json.gz",
    f"a/b/Voyage_{'x' * 2000}.json.gz",
)
"""Keys no file may be stored under as they are."""

EVIL_URL = "https://evil.example/files/Voyage_0.json.gz"
_OTHER_SEED = 1234


class Listed(Fault):
    """The list of files is another one."""

    def __init__(self, change: Callable[[Entry], list[Entry]], file: str | None) -> None:
        """Say what comes in place of an entry of the file, or of every entry."""
        self._change = change
        self._file = file

    def entries(self, request: Request, entries: list[Entry]) -> list[Entry]:  # noqa: ARG002 - a hook
        """List other entries."""
        return [changed for entry in entries for changed in self._changed(entry)]

    def _changed(self, entry: Entry) -> list[Entry]:
        name = entry.get("key", "").rpartition("/")[2]
        return self._change(entry) if self._file in {None, name} else [entry]


class Held(Fault):
    """Files hold something else than they should."""

    def __init__(self, target: Target, change: Callable[[Content], Content]) -> None:
        """Say which downloads, and what."""
        self._target = target
        self._change = change

    def content(self, request: Request, content: Content) -> Content:
        """Hold something else."""
        return self._change(content) if self._target.hits(request) else content


class Emptied(Listed):
    """A file holds nothing, and is listed so."""

    def __init__(self, file: str = A_FILE) -> None:
        """Say which file."""
        super().__init__(lambda entry: [entry | {"size": 0}], file)

    def content(self, request: Request, content: Content) -> Content:
        """Hold nothing."""
        return Stored(b"") if request.file == self._file else content


def nothing_listed() -> Fault:
    """The list is empty."""
    return Listed(lambda _: [], None)


def listed_twice(file: str = A_FILE) -> Fault:
    """A file is listed twice, identically."""
    return Listed(lambda entry: [entry, entry], file)


def listed_with_two_sizes(file: str = A_FILE) -> Fault:
    """A file is listed twice, with different sizes."""
    return Listed(lambda entry: [entry, entry | {"size": entry["size"] + 1}], file)


def listed_size(size: object, file: str = A_FILE) -> Fault:
    """A file is listed with this size."""
    return Listed(lambda entry: [entry | {"size": size}], file)


def listed_without(member: str, file: str = A_FILE) -> Fault:
    """A file's entry lacks a member."""
    return Listed(lambda entry: [{name: value for name, value in entry.items() if name != member}], file)


def listed_elsewhere(url: str = EVIL_URL, file: str = A_FILE) -> Fault:
    """A file's URL leads to another host."""
    return Listed(lambda entry: [entry | {"presignedDownloadURL": url}], file)


def hostile_keys(*keys: str, file: str = A_FILE) -> Fault:
    """A file is listed under hostile keys too, such as `../../x` and `/etc/passwd`."""

    def change(entry: Entry) -> list[Entry]:
        return [entry, *_under(entry, keys or HOSTILE_KEYS)]

    return Listed(change, file)


def file_missing(file: str = A_FILE) -> Fault:
    """A file's URL answers 404, always."""
    return wire.http_error(Target(Call.FILE, file), 404)


def file_shortened(file: str = A_FILE, times: int | None = 2) -> Fault:
    """Half of a file comes, with a Content-Length that fits; the first times only."""
    return Held(Target(Call.FILE, file, times=times), lambda content: Beginning(content, content.size // 2))


def file_changed(file: str = A_FILE, after: int = 1) -> Fault:
    """After so many downloads a file holds other bytes, as many; its ETag is another."""
    return Held(Target(Call.FILE, file, after), lambda content: Generated(content.size, _OTHER_SEED))


def _under(entry: Entry, keys: tuple[str, ...]) -> Iterator[Entry]:
    for key in keys:
        yield entry | {"key": key}
