"""Parts of pages and messages that the digest and the pipelines' sections are made of."""

import html

from sluice.html_report.page import figure_card
from sluice.html_report.text import in_html
from sluice.observability import formatting
from sluice.observability.digest.model import Digest
from sluice.runs.model import RunRecord


def success_card(digest: Digest, kind: str, title: str) -> str:
    """Return the share of runs of a kind that did not fail as a card of the headline."""
    value = digest.total.success(kind)
    mark = "" if value is None else "good" if value == 1 else "bad"
    note = f"{digest.total.runs(kind):,} runs"
    return figure_card(f"{title} that succeeded", formatting.share(value), note, mark)


def volume_card(digest: Digest, name: str, title: str) -> str:
    """Return a volume and the usual one as a card of the headline."""
    volume = digest.volume(name)
    shown = formatting.volume(name, volume.usual)
    usual = "the usual is not known yet" if volume.usual is None else f"usual {shown}"
    return figure_card(title, formatting.volume(name, volume.value), usual)


def success_line(digest: Digest, kind: str) -> str:
    """Return how many runs of a kind succeeded as a line of the message."""
    runs = digest.total.runs(kind)
    return f"{runs - digest.total.failed(kind):,} of {runs:,} succeeded" if runs else "none ran"


def volume_line(digest: Digest, name: str) -> str:
    """Return a volume and the usual one as a line of the message."""
    volume = digest.volume(name)
    usual = "" if volume.usual is None else f" (usual {formatting.volume(name, volume.usual)})"
    return f"{formatting.volume(name, volume.value)}{usual}"


def run_link(run: RunRecord) -> str:
    """Return the id of a run as HTML, linked to the console."""
    console = run.links.get("console", "")
    name = in_html(run.id)
    return f'<a href="{html.escape(console)}">{name}</a>' if console.startswith("https://") else name
