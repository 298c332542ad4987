"""Parts of pages and messages that the digest and the pipelines' sections are made of."""

import html
from collections.abc import Iterable, Mapping, Sequence

from sluice.html_report.page import figure_card
from sluice.html_report.text import in_html
from sluice.observability import formatting
from sluice.observability.digest.model import Digest
from sluice.runs.model import RunRecord

_SHOWN = 20


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


def table(name: str, columns: Mapping[str, str], rows: Iterable[Sequence[str]], none: str = "") -> str:
    """Return a table of HTML; rows beyond the first unfold.

    Args:
        name: Its id.
        columns: Class of the cells (``number``, ``names`` or "") by the column's head.
        rows: Cells as HTML.
        none: Text that stands for a table without rows.
    """
    listed = [_row(columns, cells) for cells in rows]
    if not listed:
        return f'<div class="card" id="{name}">{none}</div>'
    head = "".join(f'<th scope="col"{_class(kind)}>{head}</th>' for head, kind in columns.items())
    shown, folded = listed[:_SHOWN], listed[_SHOWN:]
    more = f"<details><summary>{len(folded):,} more</summary>{_rows(head, folded)}</details>" if folded else ""
    return f'<div class="card scroll" id="{name}">{_rows(head, shown)}{more}</div>'


def run_link(run: RunRecord) -> str:
    """Return the id of a run as HTML, linked to the console."""
    console = run.links.get("console", "")
    name = in_html(run.id)
    return f'<a href="{html.escape(console)}">{name}</a>' if console.startswith("https://") else name


def _rows(head: str, rows: Sequence[str]) -> str:
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(columns: Mapping[str, str], cells: Sequence[str]) -> str:
    written = (f"<td{_class(column)}>{cell}</td>" for column, cell in zip(columns.values(), cells, strict=True))
    return f"<tr>{''.join(written)}</tr>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""
