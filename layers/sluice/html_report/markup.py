"""Small things written as HTML."""

from collections.abc import Sequence

from sluice.html_report.names import in_html

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
