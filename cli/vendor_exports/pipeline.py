"""The command line of vendor exports: its commands, its part of `sluice status` and of `sluice runs`."""

from collections.abc import Mapping

from cli.platform.console import plural
from cli.platform.registry import DATA, SAMPLES, Command, PipelineCli


def _export_headline(counts: Mapping[str, int]) -> str:
    return f"{counts['copied']:,} of {plural(counts['promised'], 'file')}" if counts["promised"] else ""


CLI = PipelineCli(
    commands=(
        Command("cli.vendor_exports.export:export", DATA, 30),
        Command("cli.vendor_exports.history:app", DATA, 110, "history"),
        Command("cli.vendor_exports.vendor:vendor", SAMPLES, 20),
    ),
    status="cli.vendor_exports.status:status",
    headlines={"export": _export_headline, "history": lambda counts: plural(counts["observed"], "hour")},
)
