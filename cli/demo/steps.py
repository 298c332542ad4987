"""Headings of a tour, with how long each step took."""

from __future__ import annotations

import time

from cli.platform.console import out


class Steps:
    """Counts and times the steps."""

    def __init__(self) -> None:
        """Start the clock."""
        self._begun = time.monotonic()
        self._number = 0

    def begin(self, title: str) -> None:
        """Print the heading of the next step."""
        self._number += 1
        out.print(f"\n[bold cyan]━━ {self._number}  {title}[/]  [dim]{self.seconds():.0f} s[/]\n", highlight=False)

    def seconds(self) -> float:
        """How long the tour has taken so far."""
        return time.monotonic() - self._begun
