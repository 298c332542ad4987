"""Names from the vendor's files, made harmless: for HTML, and for Plotly, which reads tags in texts too."""

import html
import textwrap
from functools import lru_cache

MAX_CHARACTERS = 100
"""What is shown of one name."""

_HOVER_NAMES = 8
_HOVER_WIDTH = 40
_HOVER_LINES = 3


def in_html(name: str) -> str:
    """Write a name for HTML, as text or in a quoted attribute."""
    return html.escape(_plain(name))


@lru_cache(maxsize=1024)  # gaps last, and several plots say the same of an hour
def in_hover(names: tuple[str, ...]) -> str:
    """Write the first names as a few short lines of Plotly's hover text."""
    listed = ", ".join(map(_plain, names[:_HOVER_NAMES])) + (" …" if len(names) > _HOVER_NAMES else "")
    lines = textwrap.wrap(listed, _HOVER_WIDTH, max_lines=_HOVER_LINES, placeholder=" …", break_on_hyphens=False)
    return "<br>".join(html.escape(line, quote=False) for line in lines)  # Plotly shows &quot; as it stands


def _plain(name: str) -> str:
    """Replace what is invisible, turns the direction of writing or cannot be encoded; cut what is too long."""
    shown = name if len(name) <= MAX_CHARACTERS else name[: MAX_CHARACTERS - 1] + "…"
    if shown.isprintable():
        return shown
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in shown)
