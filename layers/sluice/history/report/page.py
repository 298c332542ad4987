"""The page: body, plots and scripts in one file that asks nothing of any network."""

import base64
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Template

import orjson
from plotly.offline import get_plotlyjs

from sluice.exports.slots import Environment
from sluice.history.model import SlotHistory
from sluice.history.report.aggregate import daily
from sluice.history.report.body import body_of
from sluice.history.report.headline import scope_card
from sluice.history.report.packing import pack
from sluice.history.report.plots import Plot, calendar, plots_by_topic

_HERE = Path(__file__).parent
_NOTHING = '<p class="card wide" id="nothing">No hour has been recorded yet: there is nothing to report.</p>'
_BASE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'; img-src data: blob:"


def report_page(environment: Environment, rows: Sequence[SlotHistory], out_of_scope: Sequence[str]) -> bytes:
    """Return the report as one HTML page, UTF-8; equal input gives equal bytes.

    Args:
        environment: The flow the rows are of.
        rows: At most one row per hour, in any order.
        out_of_scope: Tables that are not looked at.
    """
    if not rows:
        body = f'<div class="figures">{_NOTHING}{scope_card(out_of_scope)}</div>'
        return _page(environment, "No slots yet", body, ())
    ordered = sorted(rows, key=lambda row: row.slot)
    days = daily(ordered)
    level, topics = calendar(days), plots_by_topic(ordered, days)
    subtitle = f"{len(ordered):,} hours, {ordered[0].slot} to {ordered[-1].slot} (UTC); as of the last of them"
    plots = [level, *(plot for topic in topics.values() for plot in topic)]
    return _page(environment, subtitle, body_of(ordered, out_of_scope, level, topics), plots)


def _page(environment: Environment, subtitle: str, body: str, plots: Sequence[Plot]) -> bytes:
    scripts = [get_plotlyjs(), _part("page.js")] if plots else []
    return (
        Template(_part("page.html"))
        .substitute(
            policy=_policy(scripts),
            title=f"Vendor exports: {environment.value}",
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
