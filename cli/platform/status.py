"""`sluice status`: how a stage is doing, at a glance."""

from __future__ import annotations

from collections import Counter

from rich.markup import escape
from rich.table import Table

from cli.platform.console import out, plural, say_json, titled, whole, words
from cli.platform.errors import handled
from cli.platform.health import Health, health
from cli.platform.options import JsonOption, StageOption
from cli.platform.runs import listed
from cli.platform.session import LOCAL, connect
from tests.support.cloudwatch.evaluation import ALARM, INSUFFICIENT_DATA, OK

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
    deployment = connect(stage)
    found = health(deployment)
    if as_json:
        say_json(found.document())
        return
    _show_backlog(found)
    parts = {
        "Alarms": _alarms(found, deployment.prefix),
        "Last runs": listed(found.runs),
        "Last exports": _exports(found),
        f"Dirty events in the {_recent(found)}": _dirty(found),
    }
    for title, shown in parts.items():
        if shown.row_count:
            out.print(titled(title, shown))
    _show_quiet_alarms(found)


def _show_backlog(found: Health) -> None:
    backlog, queue = found.backlog, found.queue
    age = "" if backlog.oldest_seconds is None else f", the oldest for {backlog.oldest_seconds:,} s"
    out.print(f"To convert: {plural(backlog.events, 'event')} of {plural(backlog.files, 'file')}{age}", highlight=False)
    out.print(f"To validate: {plural(queue.waiting, 'announcement')}, {queue.in_flight:,} at work", highlight=False)
    if queue.dead_letters:
        out.print(f"[red]Dead letters: {plural(queue.dead_letters, 'announcement')} nobody could handle[/]")


def _exports(found: Health) -> Table:
    shown = Table(whole("Slot"), "Status", "Promised", "Copied", "Missing", words("Cause"))
    for export in found.exports:
        counts = (f"{count:,}" for count in (export.promised, export.copied, export.missing))
        since = "" if export.running_seconds is None else f" for {export.running_seconds:,} s"
        shown.add_row(export.slot, _styled(export.status) + since, *counts, escape(export.cause))
    return shown


def _recent(found: Health) -> str:
    since = f", since {found.dirty_since[:16].replace('T', ' ')} UTC" if found.dirty_since else ""
    return f"last {plural(found.dirty_chunks, 'chunk')}{since}"


def _dirty(found: Health) -> Table:
    shown = Table("Table", "Reason", "Events")
    for table, reasons in found.dirty.items():
        for reason, count in reasons.items():
            shown.add_row(table, reason, f"{count:,}")
    return shown


def _alarms(found: Health, prefix: str) -> Table:
    """Those a person has to look at; their names, in reasons too, without what all of the stage's begin with."""
    shown = Table(whole("Alarm"), whole("State"), words("Reason"))
    for alarm in found.alarms:
        if alarm.state == ALARM:
            reason = escape(alarm.reason.replace(prefix, ""))
            shown.add_row(alarm.name.removeprefix(prefix), _styled(alarm.state), reason)
    return shown


def _show_quiet_alarms(found: Health) -> None:
    states = Counter(alarm.state for alarm in found.alarms)
    if states:
        unknown = f", {states[INSUFFICIENT_DATA]:,} without data" if states[INSUFFICIENT_DATA] else ""
        out.print(f"Alarms: {states[ALARM]:,} on, {states[OK]:,} off{unknown}", highlight=False)


def _styled(text: str) -> str:
    style = _STYLES.get(text)
    return f"[{style}]{text}[/]" if style else text
