"""Stages to stacks, nothing else: `cdk synth -c stage=dev`."""

import sys
from pkgutil import resolve_name

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.platform.lake_stack import LakeStack
from infra.platform.observability_stack import ObservabilityStack
from infra.stage import Stage, StageNameError, stage_named

PIPELINES = (
    "infra.event_files.stack:EventFilesStack",
    "infra.vendor_exports.stack:VendorExportsStack",
)


def build(app: App, stage: Stage) -> None:
    """Give the app the stacks of a stage, and the rules they have to keep."""
    add_stacks(app, stage)
    Tags.of(app).add("project", "sluice")
    Tags.of(app).add("stage", stage.name)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


def add_stacks(app: App, stage: Stage) -> None:
    """Give the app the stacks of a stage."""
    lake = LakeStack(app, stage=stage)
    pipelines = [resolve_name(entry)(app, stage=stage, lake=lake) for entry in PIPELINES]
    ObservabilityStack(app, stage=stage, lake=lake, pipelines=pipelines)


def main() -> None:
    """Synthesise what the CDK command asks for."""
    app = App()
    try:
        stage = stage_named(app.node.get_context("stage"))
    except StageNameError as error:
        sys.exit(f"error: {error}")
    build(app, stage)
    app.synth()


if __name__ == "__main__":
    main()
