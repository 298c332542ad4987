"""What became of the files: per file, in total, as a JSON document and as a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from cli.platform.console import plural, titled

KNOWN = "known"
"""The file was in the ledger before; its counts are those of then."""
TIMED_OUT = "timed_out"
"""No record came in time; the file may still be on its way."""

# A refused file is done: what it is has been recorded, and it will not get better by waiting.
DONE = frozenset({"validated", "refused", KNOWN})


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file: counts of events, clean ones by table, dirty ones by reason."""

    key: str
    status: str
    bytes: int
    events: int = 0
    clean: Mapping[str, int] = field(default_factory=dict)
    dirty: Mapping[str, int] = field(default_factory=dict)
    unrelated: int = 0


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums over all files."""

    files: int
    events: int
    clean: Mapping[str, int]
    dirty: Mapping[str, int]
    unrelated: int


def totals(files: Iterable[FileReport]) -> Totals:
    """Add the files up."""
    clean: Counter[str] = Counter()
    dirty: Counter[str] = Counter()
    count = events = unrelated = 0
    for file in files:
        count, events, unrelated = count + 1, events + file.events, unrelated + file.unrelated
        clean.update(file.clean)
        dirty.update(file.dirty)
    return Totals(count, events, dict(sorted(clean.items())), dict(sorted(dirty.items())), unrelated)


def document(files: list[FileReport]) -> dict[str, Any]:
    """The JSON document of `sluice ingest --json`."""
    return {"files": [asdict(file) for file in files], "totals": asdict(totals(files))}


def is_done(files: Iterable[FileReport]) -> bool:
    """Whether every file has come to its end. Dirty events are no failure: they are kept, with their reasons."""
    return all(file.status in DONE for file in files)


def table(files: list[FileReport]) -> RenderableType:
    """Where the events went, for people."""
    total = totals(files)
    shown = Table("Went to", "Table or reason")
    shown.add_column("Events", justify="right")
    _section(shown, "clean", "green", total.clean)
    _section(shown, "dirty", "yellow", total.dirty)
    _section(shown, "unrelated", "dim", {"another producer's": total.unrelated} if total.unrelated else {})
    return titled(f"{plural(total.files, 'file')}, {plural(total.events, 'event')}", shown)


def _section(shown: Table, where: str, style: str, counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        shown.add_row(f"[{style}]{where}[/]", name, f"{count:,}")
    if len(counts) > 1:
        shown.add_row(f"[{style}]{where}[/]", "[bold]all[/]", f"[bold]{sum(counts.values()):,}[/]")
    shown.add_section()


def statuses(files: Iterable[FileReport]) -> dict[str, int]:
    """How many files there are of each status, the frequent ones first."""
    return dict(Counter(file.status for file in files).most_common())
