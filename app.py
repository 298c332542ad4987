"""A stage to its stack, nothing else: `cdk synth -c stage=dev`; `-c stages=PATH` names the file that describes it."""

import sys
from pathlib import Path
from pkgutil import resolve_name

from aws_cdk import App, Tags, Validations
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra.platform.lake_part import LakePart
from infra.platform.notebook.instance import NotebookPart
from infra.platform.observability_part import ObservabilityPart
from infra.platform.stage_stack import StageStack
from infra.stage import Stage, StageNameError
from infra.stage_file import StageFileError, stage_named

PIPELINES = (
    "infra.event_files.part:EventFilesPart",
    "infra.vendor_exports.part:VendorExportsPart",
    "infra.tables.part:TablesPart",
    "infra.api_pull.part:ApiPullPart",
    "infra.recommender.part:RecommenderPart",
)


def build(app: App, stage: Stage) -> None:
    """Give the app the stack of a stage, and the rules it has to keep."""
    add_stack(app, stage)
    Tags.of(app).add("project", "sluice")
    Tags.of(app).add("stage", stage.name)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))


def add_stack(app: App, stage: Stage) -> None:
    """Give the app the stack of a stage, with all its parts."""
    stack = StageStack(app, stage)
    lake = LakePart(stack)
    pipelines = [resolve_name(entry)(stack, lake=lake) for entry in PIPELINES]
    ObservabilityPart(stack, lake=lake, pipelines=pipelines)
    if stage.notebook:
        NotebookPart(stack, stage.notebook, lake=lake)


def main() -> None:
    """Synthesise what the CDK command asks for."""
    app = App()
    file, concurrency = (app.node.try_get_context(name) for name in ("stages", "concurrency"))
    try:
        stage = stage_named(app.node.get_context("stage"), Path(file) if file else None)
    except (StageNameError, StageFileError) as error:
        sys.exit(f"error: {error}")
    build(app, stage.within(int(concurrency)) if concurrency else stage)
    app.synth()
    _let_lambda_read(Path(app.outdir))


def _let_lambda_read(assembly: Path) -> None:
    """Give the functions' files the rights that Lambda needs, whatever rights they were checked out with."""
    for path in assembly.glob("asset.*/**"):
        for each in (path, *path.iterdir()):
            each.chmod(0o755 if each.is_dir() else 0o644)


if __name__ == "__main__":
    main()
