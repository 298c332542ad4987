"""The pipelines as the command line knows them: adding one adds its line."""

PIPELINES = (
    "cli.event_files.pipeline:CLI",
    "cli.vendor_exports.pipeline:CLI",
    "cli.tables.pipeline:CLI",
    "cli.api_pull.pipeline:CLI",
    "cli.recommender.pipeline:CLI",
)
"""Entry points of their `cli.platform.registry.PipelineCli`, in the order in which `sluice status` shows them."""
