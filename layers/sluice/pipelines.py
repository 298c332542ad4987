"""The registry of pipelines: run records, metrics, digest, dashboards and commands take what these register."""

from importlib import import_module

from sluice.observability.pipeline import Pipeline, kinds_of

_MODULES = (
    "sluice.event_files.pipeline",
    "sluice.vendor_exports.pipeline",
    "sluice.tables.pipeline",
    "sluice.api_pull.pipeline",
    "sluice.recommender.pipeline",
)

PIPELINES: tuple[Pipeline, ...] = tuple(import_module(name).PIPELINE for name in _MODULES)

RUN_KINDS = kinds_of(PIPELINES)
"""Every kind of run by its name, in order of the pipelines."""
