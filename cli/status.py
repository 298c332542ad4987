"""`sluice status`: how a stage is doing, at a glance."""

from __future__ import annotations

from collections import Counter

from rich.markup import escape
from rich.table import Table

from cli.alarms.evaluation import ALARM, INSUFFICIENT_DATA, OK
from cli.console import out, plural, say_json, titled
from cli.errors import handled
from cli.health import Health, health
from cli.options import JsonOption, StageOption
from cli.runs import listed
from cli.session import LOCAL, connect

_STYLES = {
    "converted": "green",
    "delivered": "green",
    "failed": "red",
    "incomplete": "red",
    "timed_out": "red",
    "ALARM": "red",
    "OK": "green",
}


@handled
def status(stage: StageOption = LOCAL, as_json: JsonOption = False) -> None:
    """Show what waits, the last runs and exports, the dirty events and the alarms.

    Examples:
        sluice status
        sluice status --stage prd --json | jq .backlog
    """
    found = health(connect(stage))
    if as_json:
        say_json(found.document())
        return
    _show_backlog(found)
    parts = {"Alarms": _alarms, "Last runs": _runs, "Last exports": _exports, "Dirty events": _dirty}
    for title, make in parts.items():
        shown = make(found)
        if shown.row_count:
            out.print(titled(title, shown))
    _show_quiet_alarms(found)


def _show_backlog(found: Health) -> None:
    backlog, queue = found.backlog, found.queue
    age = "" if backlog.oldest_seconds is None else f", the oldest since {backlog.oldest_seconds:,} s"
    out.print(f"To convert: {plural(backlog.events, 'event')} of {plural(backlog.files, 'file')}{age}", highlight=False)
    out.print(f"To validate: {plural(queue.waiting, 'announcement')}, {queue.in_flight:,} at work", highlight=False)
    if queue.dead_letters:
        out.print(f"[red]Dead letters: {plural(queue.dead_letters, 'announcement')} nobody could handle[/]")


def _runs(found: Health) -> Table:
    return listed(found.runs)


def _exports(found: Health) -> Table:
    shown = Table("Slot", "Status", "Promised", "Copied", "Missing", "Cause")
    for export in found.exports:
        counts = (f"{count:,}" for count in (export.promised, export.copied, export.missing))
        since = "" if export.running_seconds is None else f" for {export.running_seconds:,} s"
        shown.add_row(export.slot, _styled(export.status) + since, *counts, escape(export.cause))
    return shown


def _dirty(found: Health) -> Table:
    shown = Table("Table", "Reason", "Events")
    for table, reasons in found.dirty.items():
        for reason, count in reasons.items():
            shown.add_row(table, reason, f"{count:,}")
    return shown


def _alarms(found: Health) -> Table:
    """Those a person has to look at."""
    shown = Table("Alarm", "State", "Reason")
    for alarm in found.alarms:
        if alarm.state == ALARM:
            shown.add_row(alarm.name, _styled(alarm.state), escape(alarm.reason))
    return shown


def _show_quiet_alarms(found: Health) -> None:
    states = Counter(alarm.state for alarm in found.alarms)
    if states:
        unknown = f", {states[INSUFFICIENT_DATA]:,} without data" if states[INSUFFICIENT_DATA] else ""
        out.print(f"Alarms: {states[ALARM]:,} on, {states[OK]:,} off{unknown}", highlight=False)


def _styled(text: str) -> str:
    style = _STYLES.get(text)
    return f"[{style}]{text}[/]" if style else text
