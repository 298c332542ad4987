"""The command line of the tables: its commands, and its part of `sluice runs`."""

from collections.abc import Mapping

from cli.platform.console import plural
from cli.platform.registry import DATA, Command, PipelineCli


def _headline(counts: Mapping[str, int]) -> str:
    return f"{plural(counts['files_made'], 'file')} of {counts['files_replaced']:,}" if counts["files_made"] else ""


CLI = PipelineCli(
    commands=(Command("cli.tables.compact:compact", DATA, 25), Command("cli.tables.table:table", DATA, 55)),
    headlines={"compact": _headline},
    checks="cli.tables.checks:checks",
)
