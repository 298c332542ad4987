"""Months and findings as tables."""

from collections.abc import Sequence

from sluice.html_report.markup import names_of, percent
from sluice.vendor_exports.completeness.report.aggregate import Period
from sluice.vendor_exports.completeness.report.highlights import Finding
from sluice.vendor_exports.completeness.report.levels import MONTH_LEVEL

_SHOWN, _FOLDED = 10, 100  # findings at once, and those that unfold: an operator works on the newest
_MB = 1_000_000
_NUMBER = ' class="number"'
_MONTH_FIGURES = (
    "Jobs expected",
    "Delivered",
    "Success",
    "In level",
    "Out",
    "Share in",
    "Tables complete",
    "MB per hour",
)


def months_table(months: Sequence[Period]) -> str:
    """Return a row per month, newest first."""
    heads = "".join(f'<th scope="col"{_NUMBER}>{head}</th>' for head in _MONTH_FIGURES)
    head = f'<tr><th scope="col">Month</th><th scope="col">Level</th>{heads}</tr>'
    rows = "".join(map(_month, reversed(months)))
    return f'<div class="card scroll"><table id="months"><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def findings_list(name: str, findings: Sequence[Finding], none: str) -> str:
    """Return a table of findings with the id `name`; the older ones unfold, the oldest are only counted."""
    if not findings:
        return f'<div class="card" id="{name}">{none}</div>'
    folded, counted = findings[_SHOWN : _SHOWN + _FOLDED], len(findings[_SHOWN + _FOLDED :])
    rest = f"<p>and {counted:,} older, not listed</p>" if counted else ""
    more = f"<details><summary>{len(findings) - _SHOWN:,} more</summary>{_table(folded)}{rest}</details>"
    return f'<div class="card scroll" id="{name}">{_table(findings[:_SHOWN])}{more if folded else ""}</div>'


def _month(month: Period) -> str:
    level = "in" if month.level >= MONTH_LEVEL else "out"
    figures = (
        f"{month.expected:,}",
        f"{month.delivered:,}",
        percent(month.success),
        f"{month.in_level:,}",
        f"{month.out_of_level:,}",
        percent(month.level),
        percent(month.completeness),
        f"{month.size / _MB:,.1f}",
    )
    cells = "".join(f"<td{_NUMBER}>{figure}</td>" for figure in figures)
    mark = "good" if level == "in" else "bad"
    return f'<tr><th scope="row">{month.label}</th><td class="{mark}">{level}</td>{cells}</tr>'


def _table(findings: Sequence[Finding]) -> str:
    rows = "".join(map(_row, findings))
    head = f'<th scope="col">Slots (UTC)</th><th scope="col"{_NUMBER}>Hours</th><th scope="col">What</th>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(finding: Finding) -> str:
    slots = " to ".join(f'<span class="slot">{slot}</span>' for slot in dict.fromkeys((finding.first, finding.last)))
    names = f": {names_of(finding.names)}" if finding.names else ""
    return (
        f'<tr><td>{slots}</td><td class="number">{finding.hours:,}</td>'
        f'<td class="names">{finding.what}{names}</td></tr>'
    )
