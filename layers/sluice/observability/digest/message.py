"""The digest as one JSON document, and as a message."""

from collections.abc import Mapping
from typing import Any

from sluice.html_report.text import plain
from sluice.observability import formatting
from sluice.observability.digest.model import Digest
from sluice.observability.message import Message
from sluice.observability.prices import AS_OF
from sluice.runs.model import RunRecord

_NOTICE = 300  # characters


def document_of(digest: Digest) -> dict[str, Any]:
    """Return the digest's figures, those of the sections among them."""
    start, end = digest.period.window
    total = digest.total
    document = {
        "stage": digest.stage,
        "span": digest.period.kind.value,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "as_of": digest.as_of.isoformat(),
        "notices": list(digest.notices),
        "runs": {kind: {"total": total.runs(kind), "outcomes": dict(total.outcomes[kind])} for kind in digest.kinds},
        "success": {kind: total.success(kind) for kind in digest.kinds},
        "volumes": {each.name: {"value": each.value, "usual": each.usual} for each in digest.volumes},
        "compared_with": len(digest.earlier),
        "failed": [_run(run) for run in digest.failed],
        "slow": [{**_run(each.run), "usual_seconds": each.usual} for each in digest.slow],
        "cost": {
            "dollars": digest.cost.dollars,
            "prices_of": AS_OF,
            "items": {item.price.service: item.dollars for item in digest.cost.items},
        },
    }
    for section in digest.sections:
        document |= section.members
    return document


def _run(run: RunRecord) -> dict[str, Any]:
    return {name: getattr(run, name) for name in ("id", "kind", "started_at", "seconds", "outcome", "cause")}


def message_of(digest: Digest, links: Mapping[str, str]) -> Message:
    """Return the message; `links` lead to the page, by their names."""
    parts = [
        f"Sluice {digest.stage}, {digest.period.kind.value} {digest.period} (UTC)",
        _notices(digest),
        _figures(digest),
        *(paragraph for each in digest.sections for paragraph in each.paragraphs),
    ]
    return Message(_subject(digest), "\n\n".join(parts), links)


def _subject(digest: Digest) -> str:
    if digest.is_empty and not digest.notices:
        verdict = "no runs"
    elif digest.notices:
        count = len(digest.notices)
        verdict = f"{count} {'thing' if count == 1 else 'things'} to look at"
    else:
        verdict = "all well"
    # A stage's name has 30 characters at most.
    return f"Sluice {digest.stage}: {verdict}, {digest.period.kind.value} to {digest.period.last_day}"


def _notices(digest: Digest) -> str:
    if not digest.notices:
        return "Nothing out of the ordinary." if not digest.is_empty else "No run has been recorded in this time."
    return "\n".join(["To look at:", *(f"- {plain(notice, _NOTICE)}" for notice in digest.notices)])


def _figures(digest: Digest) -> str:
    lines = {title: line for each in digest.sections for title, line in each.lines.items()}
    lines["Cost"] = f"{formatting.dollars(digest.cost.dollars)} by list prices, an estimate without watching"
    width = max(map(len, lines)) + 2
    return "\n".join(f"{f'{title}:':<{width}}{line}" for title, line in lines.items())
