"""Names from the vendor's files, made harmless: for HTML, and for Plotly, which reads tags in texts too."""

import html
import textwrap
from collections.abc import Sequence
from functools import lru_cache

MAX_CHARACTERS = 100
"""Longest part of a name that is shown."""

_HOVER_NAMES = 8
_HOVER_WIDTH = 40
_HOVER_LINES = 3


def in_html(name: str, characters: int = MAX_CHARACTERS) -> str:
    """Write a name for HTML, as text or in a quoted attribute; so many characters of it are shown."""
    return html.escape(plain(name, characters))


def in_plot(name: str) -> str:
    """Write a name for a legend or an axis of Plotly, which shows &quot; as it stands."""
    return html.escape(plain(name), quote=False)


@lru_cache(maxsize=1024)  # gaps last, and several plots say the same of an hour
def in_hover(names: tuple[str, ...]) -> str:
    """Write the first names as a few short lines of Plotly's hover text."""
    listed = ", ".join(map(plain, names[:_HOVER_NAMES])) + (" …" if len(names) > _HOVER_NAMES else "")
    lines = textwrap.wrap(listed, _HOVER_WIDTH, max_lines=_HOVER_LINES, placeholder=" …", break_on_hyphens=False)
    return "<br>".join(html.escape(line, quote=False) for line in lines)  # Plotly shows &quot; as it stands


def plain(text: str, characters: int = MAX_CHARACTERS) -> str:
    """Replace what is invisible, turns the direction of writing or cannot be encoded; cut what is too long."""
    shown = text if len(text) <= characters else text[: characters - 1] + "…"
    if shown.isprintable():
        return shown
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in shown)


_NAMES = 10


def names_of(names: Sequence[str]) -> str:
    """Write names, the first at once and the others to unfold."""
    first, rest = ", ".join(map(in_html, names[:_NAMES])), names[_NAMES:]
    if not rest:
        return first
    return f"{first}<details><summary>{len(rest):,} more</summary>{', '.join(map(in_html, rest))}</details>"


def percent(share: float) -> str:
    """Write a share so that nothing but a whole one reads 100 %."""
    return "100 %" if share == 1 else f"{min(100 * share, 99.99):.2f} %"
