"""`sluice deploy`: bring a stage's stacks to what the code says."""

from __future__ import annotations

from cli.platform import deployment
from cli.platform.console import say
from cli.platform.errors import handled
from cli.platform.options import StageOption
from cli.platform.session import LOCAL
from infra.stage import Stage, stage_named


@handled
def deploy(stage: StageOption = LOCAL) -> None:
    """Deploy a stage with `cdk deploy`.

    The stage local goes to the local cloud and needs no account. Every other
    stage goes to the account and region of this shell, which must be
    bootstrapped.

    Examples:
        sluice deploy
        sluice deploy --stage dev
    """
    deployment.deploy(stage)
    say(f"Stage '{stage}' is deployed.")
    if alarms_tell_nobody(stage_named(stage)):
        say("[yellow]Its alarms tell nobody: give Watch.emails or Watch.slack in infra/stage.py, deploy again.[/]")


def alarms_tell_nobody(stage: Stage) -> bool:
    """Whether a stage has alarms that should tell people, and knows no people."""
    watch = stage.watch
    return stage.alarms and watch.pages and not (stage.local or watch.emails or watch.slack)
