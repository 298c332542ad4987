"""All faults by the names the command line knows them by, each as it mostly occurs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from inspect import getdoc

from cli.simulator.exchange import Call
from cli.simulator.faults import access, exports, files, jobs, wire
from cli.simulator.faults.base import Fault, Target
from cli.simulator.timing import Wording

_TIMES = 2
_ON_THE_WIRE: dict[str, Callable[[Target], Fault]] = {
    "server-error": wire.http_error,
    "too-many-requests": wire.too_many_requests,
    "too-many-requests-until": wire.too_many_requests_until,
    "stalled": wire.stalled,
    "reset": wire.reset,
    "answer-lost": wire.answer_lost,
    "truncated": wire.truncated,
    "malformed": wire.malformed,
    "odd": wire.odd,
    "html": wire.html,
    "huge": wire.huge,
    "redirected": wire.redirected,
}
_OTHERS: dict[str, Callable[[], Fault]] = {
    "job-failed": partial(jobs.job_ends, "Failed"),
    "job-error": partial(jobs.job_ends, "Error"),
    "job-cancelled": partial(jobs.job_ends, "Cancelled"),
    "job-aborted": partial(jobs.job_ends, "Aborted"),
    "job-hangs": jobs.job_hangs,
    "unknown-statuses": jobs.unknown_statuses,
    "triggered-elsewhere": jobs.triggered_elsewhere,
    "refused-with-429": partial(jobs.refused_with, 429),
    "refused-with-500": partial(jobs.refused_with, 500),
    "clock-ahead": partial(jobs.ClockSkewed, 7200),
    "clock-behind": partial(jobs.ClockSkewed, -7200),
    "tables-missing": partial(exports.tables_missing, "Voyage", "Invoice"),
    "table-added": exports.table_added,
    "column-added": exports.column_added,
    "schema-upgraded": exports.schema_upgraded,
    "volume-low": partial(exports.volume, 0.01),
    "volume-high": partial(exports.volume, 20),
    "secret-rotated": access.SecretRotated,
    "secret-revoked": access.SecretRevoked,
    "tokens-expire": access.tokens_expire,
    "urls-expire": access.urls_expire,
    "nothing-listed": files.nothing_listed,
    "listed-twice": files.listed_twice,
    "listed-with-two-sizes": files.listed_with_two_sizes,
    "size-negative": partial(files.listed_size, -1),
    "size-absurd": partial(files.listed_size, 1 << 62),
    "size-text": partial(files.listed_size, "12 kB"),
    "size-missing": partial(files.listed_without, "size"),
    "url-missing": partial(files.listed_without, "presignedDownloadURL"),
    "key-missing": partial(files.listed_without, "key"),
    "url-elsewhere": files.listed_elsewhere,
    "url-metadata-service": partial(files.listed_elsewhere, wire.METADATA_SERVICE),
    "hostile-keys": files.hostile_keys,
    "file-empty": files.Emptied,
    "file-missing": files.file_missing,
    "file-shortened": files.file_shortened,
    "file-changed": files.file_changed,
}


@dataclass(frozen=True, slots=True)
class NamedFault:
    """A fault that can be asked for by name.

    Attributes:
        name: The name.
        description: What it does, in a sentence.
        make: Makes one; faults count, so every simulator needs its own.
    """

    name: str
    description: str
    make: Callable[[], Fault]


def _catalogue() -> Iterator[NamedFault]:
    for name, make in _OTHERS.items():
        yield NamedFault(name, _described(make), make)
    for wording in Wording:
        name = f"refusal-{wording.name.lower().replace('_', '-')}"
        yield NamedFault(name, f"A trigger is refused like this: {wording.example}", partial(jobs.Refusal, wording))
    for call in Call:
        for name, make_for in _ON_THE_WIRE.items():
            description = f"{_described(make_for)} The first {_TIMES} requests of this kind."
            yield NamedFault(f"{call}-{name}", description, partial(_on_the_wire, make_for, call))


def _described(make: Callable[..., Fault]) -> str:
    if not isinstance(make, partial):
        return getdoc(make) or ""
    values = ", ".join(str(value) for value in make.args)
    return f"{getdoc(make.func)} ({values})"


def _on_the_wire(make: Callable[[Target], Fault], call: Call) -> Fault:
    return make(Target(call, times=_TIMES))


CATALOGUE = {fault.name: fault for fault in _catalogue()}
"""All of them."""
