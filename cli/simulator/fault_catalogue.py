"""All faults by the names that the command line takes, each with its usual parameters."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from cli.http_server import transport_faults
from cli.http_server.fault_catalogue import ON_THE_WIRE, described
from cli.http_server.faults import Fault, Target
from cli.simulator import habit_faults, hostile_faults, vendor_faults
from cli.simulator.http_messages import Call
from cli.simulator.jobs import Wording

_TIMES = 2
_OTHERS: dict[str, Callable[[], Fault]] = {
    "job-failed": partial(vendor_faults.job_ends, "Failed"),
    "job-error": partial(vendor_faults.job_ends, "Error"),
    "job-cancelled": partial(vendor_faults.job_ends, "Cancelled"),
    "job-aborted": partial(vendor_faults.job_ends, "Aborted"),
    "job-hangs": vendor_faults.job_hangs,
    "unknown-statuses": vendor_faults.unknown_statuses,
    "triggered-elsewhere": vendor_faults.triggered_elsewhere,
    "refused-with-429": partial(vendor_faults.refused_with, 429),
    "refused-with-500": partial(vendor_faults.refused_with, 500),
    "clock-ahead": partial(vendor_faults.clock_skewed, 7200),
    "clock-behind": partial(vendor_faults.clock_skewed, -7200),
    "tables-missing": partial(vendor_faults.tables_missing, "Voyage", "Invoice"),
    "table-added": vendor_faults.table_added,
    "column-added": vendor_faults.column_added,
    "schema-upgraded": vendor_faults.schema_upgraded,
    "volume-low": partial(vendor_faults.volume_changed, 0.01),
    "volume-high": partial(vendor_faults.volume_changed, 20),
    "secret-rotated": vendor_faults.secret_rotated,
    "secret-revoked": vendor_faults.secret_revoked,
    "tokens-expire": vendor_faults.tokens_expire,
    "urls-expire": vendor_faults.urls_expire,
    "nothing-listed": vendor_faults.nothing_listed,
    "listed-twice": vendor_faults.listed_twice,
    "listed-with-two-sizes": vendor_faults.listed_with_two_sizes,
    "size-negative": partial(vendor_faults.listed_size, -1),
    "size-absurd": partial(vendor_faults.listed_size, 1 << 62),
    "size-text": partial(vendor_faults.listed_size, "12 kB"),
    "size-missing": partial(vendor_faults.listed_without, "size"),
    "url-missing": partial(vendor_faults.listed_without, "presignedDownloadURL"),
    "key-missing": partial(vendor_faults.listed_without, "key"),
    "url-elsewhere": vendor_faults.listed_elsewhere,
    "url-metadata-service": partial(vendor_faults.listed_elsewhere, transport_faults.METADATA_SERVICE),
    "hostile-keys": vendor_faults.hostile_keys,
    "file-empty": vendor_faults.file_empty,
    "file-missing": vendor_faults.file_missing,
    "file-shortened": vendor_faults.file_shortened,
    "file-changed": vendor_faults.file_changed,
    "file-empty-with-204": habit_faults.empty_with_204,
    "file-slow-down": habit_faults.slow_down,
    "file-dripping-always": hostile_faults.file_dripping,
    "schema-of-many-tables": hostile_faults.many_tables,
    "list-of-many-files": hostile_faults.many_files,
    "secrets-echoed": partial(hostile_faults.echoed, Call.STATUS),
    "secrets-echoed-in-disguise": hostile_faults.echoed_in_disguise,
    "denied-with-403": habit_faults.denied_with,
    "accepted-with-201": partial(habit_faults.accepted_with, 201),
    "accepted-with-202": habit_faults.accepted_with,
    "camel-case": habit_faults.camel_case,
    "snake-case": habit_faults.snake_case,
    "byte-order-mark": habit_faults.byte_order_mark,
    "utf-16": partial(habit_faults.byte_order_mark, "utf-16"),
    "json-in-json": habit_faults.json_in_json,
    "sizes-as-text": habit_faults.sizes_as_text,
    "sizes-as-decimals": partial(habit_faults.sizes_as_text, "{}.0"),
    "urls-padded": habit_faults.urls_padded,
    "folder-markers": habit_faults.folder_markers,
    "no-break-space": habit_faults.no_break_space,
    "range-refused": habit_faults.range_refused,
    "range-ignored": habit_faults.range_ignored,
    "range-unnamed": habit_faults.range_unnamed,
    "range-elsewhere": habit_faults.range_elsewhere,
}


@dataclass(frozen=True, slots=True)
class NamedFault:
    """The effect of a fault, in a sentence, and its maker: faults count requests, so every simulator needs its own."""

    description: str
    make: Callable[[], Fault]


def _catalogue() -> Iterator[tuple[str, NamedFault]]:
    for name, make in _OTHERS.items():
        yield name, NamedFault(described(make), make)
    for wording in Wording:
        name = f"refusal-{wording.name.lower().replace('_', '-')}"
        make = partial(vendor_faults.refused_in, wording)
        yield name, NamedFault(f"A trigger is refused like this: {wording.example}", make)
    for call in Call:
        for name, make_for in ON_THE_WIRE.items():
            description = f"{described(make_for)} The first {_TIMES} requests of this kind."
            yield f"{call}-{name}", NamedFault(description, partial(_on_the_wire, make_for, call))


def _on_the_wire(make: Callable[[Target], Fault], call: Call) -> Fault:
    return make(Target(call, times=_TIMES))


CATALOGUE = dict(_catalogue())
"""All faults by name."""
