"""The registry of pipelines: run records, metrics, digest, dashboards and commands take what these register."""

from pkgutil import resolve_name

from sluice.observability.pipeline import Pipeline, kinds_of

_ENTRY_POINTS = (
    "sluice.event_files.pipeline:PIPELINE",
    "sluice.vendor_exports.pipeline:PIPELINE",
)

PIPELINES: tuple[Pipeline, ...] = tuple(map(resolve_name, _ENTRY_POINTS))

RUN_KINDS = kinds_of(PIPELINES)
"""Every kind of run by its name, in order of the pipelines."""
