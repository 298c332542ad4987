"""What a page's body is put together from: sections under headings, links to them, places for plots."""

from collections.abc import Sequence

from sluice.html_report.drawing import Plot


def navigation(titles: Sequence[str], note: str) -> str:
    """Return links to the sections of these titles, and a line on how to read them."""
    links = "".join(f'<a href="#{_anchor(title)}">{title}</a>' for title in titles)
    return f'<nav>{links}</nav><p class="note">{note}</p>'


def section(title: str, note: str, content: str) -> str:
    """Return a section under its heading; `note` explains it and may be empty."""
    explained = f'<p class="note">{note}</p>' if note else ""
    return f'<section><h2 id="{_anchor(title)}">{title}</h2>{explained}{content}</section>'


def cards(plots: Sequence[Plot]) -> str:
    """Return the empty places of plots under their titles."""
    return f'<div class="plots">{"".join(map(_card, plots))}</div>'


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-")


def _card(plot: Plot) -> str:
    wide = " wide" if plot.wide else ""
    place = f'<div id="{plot.name}" style="height:{plot.figure.layout.height}px"></div>'
    return f'<figure class="card{wide}"><figcaption><h3>{plot.title}</h3></figcaption>{place}</figure>'
