"""Faults of the vendor: its jobs and clock, secrets and URLs, the content of exports, lists of files and the files."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from cli.http_server.content import Content, generated, stored, truncated
from cli.http_server.faults import Fault, Target, changed
from cli.http_server.transport_faults import http_error
from cli.simulator.exports import Exports, Table, table
from cli.simulator.http_messages import Call, Request
from cli.simulator.jobs import Wording
from cli.simulator.vendor import Entry, Vendor, VendorFault

UNKNOWN_STATUSES = ("Queued", "Completing", "Replicating 45%", "complete?", "", None, 7, ["Complete"])

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


def job_ends(word: str = "Failed") -> VendorFault:
    """Jobs end with this word and not with Complete."""
    return VendorFault(status=lambda status: word if status == "Complete" else status)


def job_hangs() -> VendorFault:
    """Jobs run for ever."""
    return job_ends("Running")


def unknown_statuses(words: tuple[Any, ...] = UNKNOWN_STATUSES) -> VendorFault:
    """Each poll answers another word that is not documented, then the true status."""
    left = itertools.chain(words)
    return VendorFault(status=lambda status: next(left, status))


def clock_skewed(seconds: float) -> VendorFault:
    """The vendor's clock is off by so many seconds, in the Date header and in the sentence that refuses a trigger."""
    return VendorFault(skew=timedelta(seconds=seconds))


def refused_in(wording: Wording) -> VendorFault:
    """The sentence that refuses a trigger is worded in another way."""
    return VendorFault(wording=wording)


def refused_with(status: int) -> Fault:
    """A trigger is refused with this status."""
    refused = HTTPStatus.BAD_REQUEST
    return changed(
        Target(Call.EXPORT), lambda answer: replace(answer, status=status) if answer.status == refused else answer
    )


def triggered_elsewhere() -> Fault:
    """Another client triggered a job just before the first trigger, which is refused."""
    return vendor_action(Target(Call.EXPORT, times=1), lambda vendor: vendor.jobs.trigger_elsewhere(vendor.clock()))


def vendor_action(target: Target, action: Callable[[Vendor], None]) -> Fault:
    """Act on the vendor just before it answers a request."""
    return Fault(before=lambda vendor, request: action(vendor) if target.hits(request) else None)


def secret_rotated() -> VendorFault:
    """The second secret is valid, the first one is not: 401."""
    return VendorFault(secrets=lambda _, next_secret: frozenset({next_secret}))


def secret_revoked() -> VendorFault:
    """No secret is valid: 401."""
    return VendorFault(secrets=lambda *_: frozenset())


def tokens_expire(after: int = 2) -> Fault:
    """All tokens expire after so many polls (401); new ones work."""
    return vendor_action(Target(Call.STATUS, after=after, times=1), lambda vendor: vendor.tokens.revoke_all())


def urls_expire(after: int = 3) -> Fault:
    """All URLs handed out expire after so many downloads (403); new ones work."""
    return vendor_action(Target(Call.FILE, after=after, times=1), lambda vendor: vendor.signatures.revoke_all())


def tables_missing(*names: str) -> VendorFault:
    """The schema promises these tables, but no file of them comes."""
    return VendorFault(exports=lambda exports: replace(exports, undelivered=exports.undelivered | set(names)))


def table_added(name: str = "CrewWages") -> VendorFault:
    """A table comes that the schema does not promise."""
    added = table(name, Seafarer="nvarchar", Amount="decimal")
    return VendorFault(exports=lambda exports: replace(exports, unannounced=(*exports.unannounced, added)))


def column_added(name: str = "CarbonIntensity") -> VendorFault:
    """The first table has a column more, in the schema and in the data."""

    def change(exports: Exports) -> Exports:
        first, *others = exports.tables
        return replace(exports, tables=(Table(first.name, (*first.columns, (name, "decimal"))), *others))

    return VendorFault(exports=change)


def schema_upgraded(version: str = "2026.2") -> VendorFault:
    """Another version of the schema: a table is renamed, the first one's last column is gone, all integers are text."""
    return VendorFault(exports=lambda exports: replace(exports, version=version, tables=_upgraded(exports.tables)))


def _upgraded(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    first, second, *others = tables
    renamed = (Table(first.name, first.columns[:-1]), Table(f"{second.name}V2", second.columns), *others)
    as_text = {"int": "nvarchar"}
    return tuple(
        Table(each.name, tuple((name, as_text.get(kind, kind)) for name, kind in each.columns)) for each in renamed
    )


def volume_changed(factor: float) -> VendorFault:
    """The partitions are so many times as large as usual."""
    return VendorFault(exports=lambda exports: replace(exports, volume=exports.volume * factor))


def listed_differently(change: Callable[[Entry], list[Entry]], file: str) -> VendorFault:
    """List other entries in place of a file's."""

    def entries(_: Request, listed: list[Entry]) -> list[Entry]:
        return [entry for each in listed for entry in (change(each) if name_of(each) == file else [each])]

    return VendorFault(entries=entries)


def name_of(entry: Entry) -> str:
    """Return the name of a listed file."""
    return str(entry.get("key", "")).rpartition("/")[2]


def nothing_listed() -> VendorFault:
    """The list is empty."""
    return VendorFault(entries=lambda *_: [])


def listed_twice(file: str = A_FILE) -> VendorFault:
    """A file is listed twice, identically."""
    return listed_differently(lambda entry: [entry, entry], file)


def listed_with_two_sizes(file: str = A_FILE) -> VendorFault:
    """A file is listed twice, with different sizes."""
    return listed_differently(lambda entry: [entry, entry | {"size": entry["size"] + 1}], file)


def listed_size(size: object, file: str = A_FILE) -> VendorFault:
    """A file is listed with this size."""
    return listed_differently(lambda entry: [entry | {"size": size}], file)


def listed_without(member: str, file: str = A_FILE) -> VendorFault:
    """A file's entry lacks a member."""
    return listed_differently(lambda entry: [{name: value for name, value in entry.items() if name != member}], file)


def listed_elsewhere(url: str = EVIL_URL, file: str = A_FILE) -> VendorFault:
    """A file's URL leads to another host."""
    return listed_differently(lambda entry: [entry | {"presignedDownloadURL": url}], file)


def hostile_keys(*keys: str, file: str = A_FILE) -> VendorFault:
    """A file is listed under hostile keys too, such as `../../x` and `/etc/passwd`."""
    return listed_differently(lambda entry: [entry, *(entry | {"key": key} for key in keys or HOSTILE_KEYS)], file)


def file_empty(file: str = A_FILE) -> VendorFault:
    """A file holds nothing, and is listed so."""
    emptied = content_replaced(Target(Call.FILE, file), lambda _: stored(b""))
    return replace(listed_size(0, file), content=emptied.content)


def file_missing(file: str = A_FILE) -> Fault:
    """A file's URL answers 404, always."""
    return http_error(Target(Call.FILE, file), 404)


def file_shortened(file: str = A_FILE, times: int | None = 2) -> VendorFault:
    """Half of a file comes, with a Content-Length that fits; the first times only."""
    target = Target(Call.FILE, file, times=times)
    return content_replaced(target, lambda content: truncated(content, content.size // 2))


def file_changed(file: str = A_FILE, after: int = 1) -> VendorFault:
    """After so many downloads a file holds other bytes, as many; its ETag is another."""
    return content_replaced(Target(Call.FILE, file, after), lambda content: generated(content.size, _OTHER_SEED))


def content_replaced(target: Target, change: Callable[[Content], Content]) -> VendorFault:
    """Replace the content of the files downloaded."""
    return VendorFault(content=lambda request, content: change(content) if target.hits(request) else content)
