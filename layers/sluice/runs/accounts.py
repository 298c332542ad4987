"""What each machine's execution did, by its own account: what its steps left, and a conversion's summary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sluice.lake.keys import commit_key
from sluice.runs.model import COUNTS, Kind

Document = Mapping[str, Any]

CONVERTED = "converted"
SKIPPED = "skipped"
INITIALISED = "initialised"
_PLANNED = "planned"
_BUSY = "busy"


@dataclass(frozen=True, slots=True)
class Deed:
    """What an execution worked on and did; `places` are keys in the lake bucket, by name."""

    subject: str = ""
    outcome: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    dirty: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


def conversion(left: Document, commit: Document | None) -> Deed:
    """Return what an execution of Convert did; `commit` is its run's summary, once it is converted."""
    run_id = left.get("run_id") or ""
    if commit is None:
        return Deed(run_id, str(left.get("status", "")), _counts(Kind.CONVERT, {}))
    dirty = commit.get("dirty", {})
    found = {
        **commit,
        "rows": sum(commit["rows"].values()),
        "dirty": sum(sum(reasons.values()) for reasons in dirty.values()),
    }
    places = {"summary": commit_key(run_id)}
    return Deed(run_id, CONVERTED, _counts(Kind.CONVERT, found), commit["rows"], dirty, places)


def was_converted(left: Document) -> str | None:
    """Return the run that an execution of Convert, which succeeded, has converted; None when it had none."""
    return str(left["run_id"]) if left.get("status") == _PLANNED else None


def export(left: Document) -> Deed:
    """Return what an execution of Export did."""
    account = left.get("account", {})
    outcome = SKIPPED if left.get("decision") == _BUSY else str(account.get("status", ""))
    places = {"files": account["folder"]} if account.get("folder") else {}
    slot = str(left.get("export", {}).get("slot", ""))
    return Deed(slot, outcome, _counts(Kind.EXPORT, account), places=places)


def history(asked: Document, left: Document) -> Deed:
    """Return what an execution of History did; `asked` is its input."""
    subject = f"{asked['first']} to {asked['last']}" if {"first", "last"} <= asked.keys() else ""
    merged = left.get("merged", {})
    return Deed(subject, INITIALISED if merged else "", _counts(Kind.HISTORY, merged))


def _counts(kind: Kind, found: Document) -> dict[str, int]:
    return {name: int(found.get(name, 0)) for name in COUNTS[kind]}
