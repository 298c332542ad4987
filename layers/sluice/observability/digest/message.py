"""The digest as a message: a subject and some lines of plain text."""

from collections.abc import Mapping
from typing import NamedTuple

from sluice.html_report.text import plain
from sluice.observability import formatting
from sluice.observability.digest.model import Digest

_NOTICE = 300  # characters


class Message(NamedTuple):
    """A message of SNS: its subject is ASCII of fewer than 100 characters."""

    subject: str
    body: str


def message_of(digest: Digest, links: Mapping[str, str]) -> Message:
    """Return the message; `links` to the page stand at its end, under their names."""
    parts = [
        f"Sluice {digest.stage}, {digest.period.kind.value} {digest.period} (UTC)",
        _notices(digest),
        _figures(digest),
        *(paragraph for each in digest.sections for paragraph in each.paragraphs),
        "\n".join(f"{name}: {link}" for name, link in links.items()),
    ]
    return Message(_subject(digest), "\n\n".join(parts) + "\n")


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
