"""The digest's lists as tables of HTML."""

import html
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sluice.html_report.names import in_html
from sluice.observability.digest import formatting
from sluice.observability.digest.cost import ASSUMED, NOT_COUNTED
from sluice.observability.digest.model import Digest
from sluice.observability.prices import AS_OF, REGION
from sluice.runs.model import RunRecord

_SHOWN = 20
_CAUSE = 300  # characters


class _Column(NamedTuple):
    """A head and the class of its cells."""

    head: str
    kind: str = ""


_NUMBER, _NAMES = "number", "names"


def volumes_table(digest: Digest) -> str:
    """Return every volume against the usual."""
    columns = (_Column("What"), _Column("This time", _NUMBER), _Column("Usual", _NUMBER), _Column("Times", _NUMBER))
    rows = (
        (
            volume.title,
            formatting.volume(volume.name, volume.value),
            formatting.volume(volume.name, volume.usual),
            formatting.ratio(volume.ratio),
        )
        for volume in digest.volumes
    )
    return _table("volumes", columns, rows)


def reasons_table(digest: Digest) -> str:
    """Return why events were dirty."""
    if not digest.reasons:
        return _none("reasons", "No event was dirty.")
    columns = (_Column("Reason, table", _NAMES), _Column("Events", _NUMBER), _Column("Before", _NUMBER), _Column(""))
    rows = [
        (
            f"{in_html(each.reason)}, {in_html(formatting.table(each.table))}",
            f"{each.events:,}",
            formatting.volume("events", each.before),
            '<span class="bad">new</span>' if each.is_new else "",
        )
        for each in digest.reasons
    ]
    return _table("reasons", columns, rows)


def tables_table(digest: Digest) -> str:
    """Return rows and freshness of every table."""
    if not digest.tables:
        return _none("tables-list", "No table has rows.")
    columns = (
        _Column("Table"),
        _Column("Rows", _NUMBER),
        _Column("Usual", _NUMBER),
        _Column("Age", _NUMBER),
        _Column("Newest hour (UTC)", _NUMBER),
    )
    rows = (
        (
            in_html(each.table),
            f"{each.rows:,}",
            formatting.volume("rows", each.usual),
            formatting.age(each.newest, digest.as_of) if each.newest else formatting.NOTHING,
            f"{each.newest:%Y%m%d-%H}" if each.newest else formatting.NOTHING,
        )
        for each in digest.tables
    )
    return _table("tables-list", columns, rows)


def failed_table(digest: Digest) -> str:
    """Return the runs that failed."""
    if not digest.failed:
        return _none("failed-runs", "No run failed.")
    columns = (_Column("Started (UTC)"), _Column("What", _NAMES))
    rows = ((_moment(run), _failure(run)) for run in digest.failed)
    return _table("failed-runs", columns, rows)


def slow_table(digest: Digest) -> str:
    """Return the runs that took several times the usual."""
    if not digest.slow:
        return _none("slow-runs", "No run took much longer than its like.")
    columns = (_Column("Started (UTC)"), _Column("Took", _NUMBER), _Column("Usual", _NUMBER), _Column("Run", _NAMES))
    rows = (
        (_moment(each.run), formatting.seconds(each.run.seconds), formatting.seconds(each.usual), _named(each.run))
        for each in digest.slow
    )
    return _table("slow-runs", columns, rows)


def cost_table(digest: Digest) -> str:
    """Return the estimate, line by line, and what it leaves out."""
    columns = (_Column("Service"), _Column("Quantity", _NUMBER), _Column("Of what"), _Column("Costs", _NUMBER))
    rows = [
        (item.price.service, f"{item.quantity:,.0f}", item.price.unit, formatting.dollars(item.dollars))
        for item in digest.cost.items
    ]
    rows.append(("<strong>Sum</strong>", "", "", f"<strong>{formatting.dollars(digest.cost.dollars)}</strong>"))
    notes = f"List prices of {REGION}, {AS_OF}. Assumed: {ASSUMED}. Not counted: {'; '.join(NOT_COUNTED)}."
    return _table("costs", columns, rows) + f'<p class="note">{notes}</p>'


def _moment(run: RunRecord) -> str:
    return in_html(run.started_at[:16].replace("T", " "))


def _failure(run: RunRecord) -> str:
    cause = in_html(run.cause or run.failed_step, _CAUSE)
    outcome = in_html(run.outcome.replace("_", " "))
    return f'{outcome}{": " if cause else ""}{cause}<div class="note">{_named(run)}</div>'


def _named(run: RunRecord) -> str:
    console = run.links.get("console", "")
    name = in_html(run.id)
    return f'<a href="{html.escape(console)}">{name}</a>' if console.startswith("https://") else name


def _table(name: str, columns: Sequence[_Column], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of HTML cells; what is beyond its first rows unfolds."""
    listed = [_row(columns, cells) for cells in rows]
    head = "".join(f'<th scope="col"{_class(column)}>{column.head}</th>' for column in columns)
    shown, folded = listed[:_SHOWN], listed[_SHOWN:]
    more = f"<details><summary>{len(folded):,} more</summary>{_rows(head, folded)}</details>" if folded else ""
    return f'<div class="card scroll" id="{name}">{_rows(head, shown)}{more}</div>'


def _rows(head: str, rows: Sequence[str]) -> str:
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(columns: Sequence[_Column], cells: Sequence[str]) -> str:
    written = (f"<td{_class(column)}>{cell}</td>" for column, cell in zip(columns, cells, strict=True))
    return f"<tr>{''.join(written)}</tr>"


def _class(column: _Column) -> str:
    return f' class="{column.kind}"' if column.kind else ""


def _none(name: str, text: str) -> str:
    return f'<div class="card" id="{name}">{text}</div>'
