"""The digest as a message: a subject and some lines of plain text."""

from collections.abc import Mapping
from dataclasses import dataclass

from sluice.html_report.names import plain
from sluice.observability.digest import formatting
from sluice.observability.digest.model import Digest
from sluice.runs.model import Kind

_REASONS = 5
_NOTICE = 300  # characters


@dataclass(frozen=True, slots=True)
class Message:
    """What is sent."""

    subject: str
    body: str


def message_of(digest: Digest, links: Mapping[str, str]) -> Message:
    """Return the message; `links` says by name where the page is."""
    parts = [
        f"Sluice {digest.stage}, {digest.span.kind.value} {digest.span} (UTC)",
        _notices(digest),
        _figures(digest),
        _reasons(digest),
        "\n".join(f"{name}: {link}" for name, link in links.items()),
    ]
    return Message(_subject(digest), "\n\n".join(part for part in parts if part) + "\n")


def _subject(digest: Digest) -> str:
    if digest.is_empty and not digest.notices:
        verdict = "no runs"
    elif digest.notices:
        count = len(digest.notices)
        verdict = f"{count} {'thing' if count == 1 else 'things'} to look at"
    else:
        verdict = "all well"
    # SNS takes fewer than 100 characters, ASCII: a stage's name has 30 at most.
    return f"Sluice {digest.stage}: {verdict}, {digest.span.kind.value} to {digest.span.last_day}"


def _notices(digest: Digest) -> str:
    if not digest.notices:
        return "Nothing out of the ordinary." if not digest.is_empty else "No run has been recorded in this time."
    return "\n".join(["To look at:", *(f"- {plain(notice, _NOTICE)}" for notice in digest.notices)])


def _figures(digest: Digest) -> str:
    total = digest.total
    lines = {
        "Conversions": _rate(digest, Kind.CONVERT),
        "Exports": _exports(digest),
        "Files": _against(digest, "files"),
        "Clean events": _against(digest, "clean"),
        "Clean share": formatting.share(total.clean_share),
        "Rows": _against(digest, "rows"),
        "Drift": f"{digest.volume('unknown_members').value:,} unknown members",
        "Cost": f"{formatting.dollars(digest.cost.dollars)} by list prices, an estimate without watching",
    }
    return "\n".join(f"{name + ':':<14}{value}" for name, value in lines.items())


def _rate(digest: Digest, kind: Kind) -> str:
    runs = digest.total.runs(kind)
    return f"{runs - digest.total.failed(kind):,} of {runs:,} succeeded" if runs else "none ran"


def _exports(digest: Digest) -> str:
    if not digest.exports:
        return _rate(digest, Kind.EXPORT)
    return f"{digest.whole_exports:,} of {len(digest.exports):,} hours came whole"


def _against(digest: Digest, name: str) -> str:
    volume = digest.volume(name)
    usual = "" if volume.usual is None else f" (usual {formatting.volume(name, volume.usual)})"
    return f"{formatting.volume(name, volume.value)}{usual}"


def _reasons(digest: Digest) -> str:
    if not digest.reasons:
        return ""
    lines = (
        f"- {each.events:,} {plain(each.reason)}, {plain(formatting.table(each.table))}{' (new)' if each.is_new else ''}"
        for each in digest.reasons[:_REASONS]
    )
    more = [f"- and {len(digest.reasons) - _REASONS:,} more"] if len(digest.reasons) > _REASONS else []
    return "\n".join(["Dirty events:", *lines, *more])
