"""The pipelines as the command line knows them: adding one adds its line."""

from __future__ import annotations

from functools import cache
from pkgutil import resolve_name
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.platform.registry import PipelineCli

_REGISTERED = (
    "cli.event_files.pipeline:CLI",
    "cli.vendor_exports.pipeline:CLI",
)


@cache
def pipelines() -> tuple[PipelineCli, ...]:
    """Return what the pipelines have registered, in the order in which `sluice status` shows them."""
    return tuple(map(resolve_name, _REGISTERED))
