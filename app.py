"""Stages to stacks, nothing else: `cdk synth -c stage=dev`."""

from __future__ import annotations

import sys

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.event_files.stack import EventFilesStack
from infra.platform.lake_stack import LakeStack
from infra.platform.observability.stack import WatchStack
from infra.stage import Stage, StageNameError, stage_named
from infra.vendor_exports.stack import ExportsStack


def build(app: App) -> None:
    """Give the app the stacks of the stage its context names, and the rules they have to keep.

    Raises:
        StageNameError: The name is no stage's.
    """
    stage = stage_named(app.node.get_context("stage"))
    add_stacks(app, stage)
    Tags.of(app).add("project", "sluice")
    Tags.of(app).add("stage", stage.name)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


def add_stacks(app: App, stage: Stage) -> None:
    """Give the app the stacks of a stage."""
    lake = LakeStack(app, f"{stage.stack_prefix}-Lake", stage=stage)
    event_files = EventFilesStack(app, f"{stage.stack_prefix}-EventFiles", stage=stage, lake=lake)
    exports = ExportsStack(app, f"{stage.stack_prefix}-Exports", stage=stage, lake=lake)
    WatchStack(app, f"{stage.stack_prefix}-Watch", stage=stage, lake=lake, event_files=event_files, exports=exports)


def main() -> None:
    """Synthesise what the CDK command asks for."""
    app = App()
    try:
        build(app)
    except StageNameError as error:
        sys.exit(f"error: {error}")
    app.synth()


if __name__ == "__main__":
    main()
