"""The page: body, plots and scripts in one file that asks nothing of any network."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

import orjson
from plotly.offline import get_plotlyjs

from sluice.html_report.drawing import Plot
from sluice.html_report.packing import pack

_HERE = Path(__file__).parent
_BASE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; img-src data: blob:"


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
            data=_json_for_script(plots),
            scripts="\n".join(f"<script>{script}</script>" for script in scripts),
        )
        .encode()
    )


def _part(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _policy(scripts: Sequence[str]) -> str:
    """Allow these scripts, no others, and no network."""
    hashes = (f"'sha256-{_sha256(script)}'" for script in scripts)
    return " ".join([f"{_BASE_POLICY}; script-src", *hashes]) if scripts else _BASE_POLICY


def _sha256(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _json_for_script(plots: Iterable[Plot]) -> str:
    """Write the figures; no text in them can end the script element."""
    return orjson.dumps(pack(plots)).decode().replace("<", "\\u003c")
