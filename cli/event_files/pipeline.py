"""The command line of event files: its commands, its part of `sluice status` and of `sluice runs`."""

from collections.abc import Mapping

from cli.platform.console import plural
from cli.platform.registry import DATA, SAMPLES, Command, PipelineCli


def _conversion_headline(counts: Mapping[str, int]) -> str:
    return f"{plural(counts['rows'], 'row')} from {plural(counts['files'], 'file')}" if counts["files"] else ""


CLI = PipelineCli(
    commands=(
        Command("cli.event_files.ingest:ingest", DATA, 10),
        Command("cli.event_files.convert:convert", DATA, 20),
        Command("cli.event_files.file:file", DATA, 90),
        Command("cli.event_files.dirty:app", DATA, 115, "dirty"),
        Command("cli.event_files.media:app", DATA, 120, "media"),
        Command("cli.event_files.generate:generate", SAMPLES, 10),
    ),
    status="cli.event_files.status:status",
    headlines={"convert": _conversion_headline},
    executions="cli.event_files.convert:executions_of_run",
    checks="cli.event_files.checks:checks",
)
