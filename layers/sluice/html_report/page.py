"""The page: body, plots and scripts in one file that asks nothing of any network."""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import orjson
from plotly.offline import get_plotlyjs

from sluice.html_report.plots import Plot

_HERE = Path(__file__).parent
_BASE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; img-src data: blob:"


@dataclass(frozen=True, slots=True)
class Topic:
    """A part of a page under a heading: a note that explains it, plots, HTML."""

    title: str
    plots: tuple[Plot, ...] = ()
    html: str = ""
    note: str = ""


def page_of(title: str, subtitle: str, body: str, plots: Sequence[Plot]) -> bytes:
    """Return a page as UTF-8; equal input gives equal bytes.

    Args:
        title: What the page is about, as HTML.
        subtitle: What it covers, as HTML.
        body: The rest as HTML, with an empty place for each plot.
        plots: What is drawn; without any the page has no script.
    """
    scripts = [get_plotlyjs(), _part("page.js")] if plots else []
    return (
        Template(_part("page.html"))
        .substitute(
            policy=_policy(scripts),
            title=title,
            style=_part("page.css"),
            subtitle=subtitle,
            body=body,
            data=orjson.dumps(pack(plots)).decode().replace("<", "\\u003c"),  # no text in it can end the script element
            scripts="\n".join(f"<script>{script}</script>" for script in scripts),
        )
        .encode()
    )


def _part(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _policy(scripts: Sequence[str]) -> str:
    """Allow these scripts, no others, and no network."""
    digests = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    hashes = (f"'sha256-{digest}'" for digest in digests)
    return " ".join([f"{_BASE_POLICY}; script-src", *hashes]) if scripts else _BASE_POLICY


def figure_card(title: str, figure: str, note: str, mark: str = "") -> str:
    """Return a figure of a page's headline; `mark` is its class: ``good``, ``bad`` or ""."""
    marked = f' class="{mark}"' if mark else ""
    return f'<div class="card"><span>{title}</span><strong{marked}>{figure}</strong><span>{note}</span></div>'


def body_of(figures: str, reading: str, topics: Sequence[Topic]) -> str:
    """Return a page's body: cards of figures, links to the topics, a line on how to read them, and the topics."""
    links = "".join(f'<a href="#{_anchor(topic.title)}">{topic.title}</a>' for topic in topics)
    return "\n".join(
        [
            f'<section class="figures" id="headline">{figures}</section>',
            f'<nav>{links}</nav><p class="note">{reading}</p>',
            *map(_section, topics),
        ]
    )


def _section(topic: Topic) -> str:
    note = f'<p class="note">{topic.note}</p>' if topic.note else ""
    places = f'<div class="plots">{"".join(map(_card, topic.plots))}</div>' if topic.plots else ""
    return f'<section><h2 id="{_anchor(topic.title)}">{topic.title}</h2>{note}{places}{topic.html}</section>'


def table(
    name: str,
    columns: Mapping[str, str],
    rows: Iterable[Sequence[str]],
    none: str = "",
    shown: int = 20,
) -> str:
    """Return a table of HTML; rows beyond the ones `shown` unfold.

    Args:
        name: Its id.
        columns: Class of the cells (``number``, ``names`` or "") by the column's head.
        rows: Cells as HTML.
        none: Text that stands for a table without rows.
        shown: Number of rows that are seen at once.
    """
    listed = [_row(columns, cells) for cells in rows]
    if not listed:
        return f'<div class="card" id="{name}">{none}</div>'
    head = "".join(f'<th scope="col"{_class(kind)}>{head}</th>' for head, kind in columns.items())
    folded = listed[shown:]
    more = f"<details><summary>{len(folded):,} more</summary>{_rows(head, folded)}</details>"
    return f'<div class="card scroll" id="{name}">{_rows(head, listed[:shown])}{more if folded else ""}</div>'


def _rows(head: str, rows: Sequence[str]) -> str:
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _row(columns: Mapping[str, str], cells: Sequence[str]) -> str:
    written = (f"<td{_class(column)}>{cell}</td>" for column, cell in zip(columns.values(), cells, strict=True))
    return f"<tr>{''.join(written)}</tr>"


def _class(kind: str) -> str:
    return f' class="{kind}"' if kind else ""


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _card(plot: Plot) -> str:
    wide = " wide" if plot.wide else ""
    place = f'<div id="{plot.name}" style="height:{plot.figure.layout.height}px"></div>'
    return f'<figure class="card{wide}"><figcaption><h3>{plot.title}</h3></figcaption>{place}</figure>'


def pack(plots: Iterable[Plot]) -> dict[str, Any]:
    """Return the figures by name; page.js undoes it.

    Returns:
        `figures`, in which a trace over hours or days has a number for its `x`, and numbers for its points' `text`;
        `axes` and `texts` are what they stand for.
    """
    axes: dict[tuple[str, ...], int] = {}
    texts: dict[str, int] = {}
    figures = {plot.name: plot.figure.to_plotly_json() for plot in plots}
    for trace in (trace for figure in figures.values() for trace in figure["data"] if trace["type"] != "heatmap"):
        trace["x"] = axes.setdefault(tuple(trace["x"]), len(axes))
        if "text" in trace:
            trace["text"] = [texts.setdefault(text, len(texts)) for text in trace["text"]]
    return {"figures": figures, "axes": list(axes), "texts": list(texts)}
