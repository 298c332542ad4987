"""Pages that commands leave on the operator's machine."""

from __future__ import annotations

import webbrowser
from pathlib import Path

from cli.platform.errors import CliError

BUILD = Path("build")
"""Where pages go that nobody named a place for; made when needed."""


def write_page(to: Path, page: bytes) -> None:
    """Write a page.

    Raises:
        CliError: There is no place for it.
    """
    try:
        if to.parent == BUILD:
            BUILD.mkdir(exist_ok=True)
        to.write_bytes(page)
    except OSError as error:
        raise CliError(
            f"{to} cannot be written: {error.strerror}.", "Name a file in a folder there is: --out"
        ) from error


def open_page(page: Path) -> None:
    """Open a page in the operator's browser."""
    webbrowser.open(page.resolve().as_uri())
