"""Stages to stacks, nothing else: `cdk synth -c stage=dev`."""

from __future__ import annotations

import sys

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.event_files_stack import EventFilesStack
from infra.lake_stack import LakeStack
from infra.stage import StageNameError, stage_named

app = App()
try:
    stage = stage_named(app.node.get_context("stage"))
except StageNameError as error:
    sys.exit(f"error: {error}")
lake = LakeStack(app, f"{stage.stack_prefix}-Lake", stage=stage)
EventFilesStack(app, f"{stage.stack_prefix}-EventFiles", stage=stage, lake=lake)
Tags.of(app).add("project", "sluice")
Tags.of(app).add("stage", stage.name)
Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))
app.synth()
