"""The command line of the API pulls: its command, its part of `sluice status` and of `sluice runs`."""

from collections.abc import Mapping

from cli.platform.console import plural
from cli.platform.registry import DATA, Command, PipelineCli


def _headline(counts: Mapping[str, int]) -> str:
    return f"{plural(counts['clean_tracks'], 'track')}, {plural(counts['clean_listens'], 'listen')}"


CLI = PipelineCli(
    commands=(Command("cli.api_pull.pull:pull", DATA, 35),),
    status="cli.api_pull.status:status",
    headlines={"pull": _headline},
)
