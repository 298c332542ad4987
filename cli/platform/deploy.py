"""`sluice deploy`: bring a stage to what the code and the file of stages say."""

import os
import sys
from collections.abc import Mapping
from typing import Annotated

import typer
from botocore.exceptions import ClientError
from rich.markup import escape

from cli.platform import local_cloud
from cli.platform.cdk import ROOT, Cdk, cached_assembly
from cli.platform.console import CliError, handled, say, visible
from cli.platform.session import LOCAL, Deployment, StageOption, connect
from cli.platform.stages import stage_named, stages_file
from infra.platform.observability.settings import Observability
from infra.stage import Stage
from sluice.aws.runtime import error_code

_LOGS = ROOT / "build"
_NEVER_WHOLE = {"", "REVIEW_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED"}
_ROOMY = 1000  # concurrent executions of an account that is not new

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask: for CI.")]


@handled
def deploy(
    stage: StageOption = LOCAL,
    yes: YesOption = False,
    revert_drift: Annotated[
        bool, typer.Option("--revert-drift", help="Also put back what was changed by hand: rights, settings.")
    ] = False,
) -> None:
    """Deploy a stage: say where it goes and what changes, then do it.

    Stages are described in stages.toml, or in the file that SLUICE_STAGES
    names; local, dev and a feature's own need none. The stage local goes to
    the local cloud and needs no account. Every other one goes to the account
    of this shell, which must be bootstrapped and be the one that the stage
    names. A stage that keeps its data is asked about first.

    What was changed by hand stays as it is, unless --revert-drift is given:
    then the drift is shown, too, and put back.

    Examples:
        sluice deploy
        sluice deploy --stage prd
        sluice deploy --stage prd --revert-drift
    """
    deploy_stage(stage, yes=yes, revert_drift=revert_drift)
    say(f"Stage '{stage}' is deployed.")
    if alarms_have_no_recipient(stage_named(stage)):
        say(
            "[yellow]Its alarms have no recipient: give it observability.emails or observability.slack in the file of "
            "stages, deploy again.[/]"
        )


def alarms_have_no_recipient(stage: Stage) -> bool:
    """Return whether a stage has alarms that should notify people, and no address to notify."""
    settings = stage.settings(Observability)
    return settings.alarms and settings.pages and not (stage.local or settings.emails or settings.slack)


def deploy_stage(name: str, *, yes: bool = False, revert_drift: bool = False) -> None:
    """Bring the stack of a stage to what the code says; print each step that is worth telling.

    Raises:
        StageNameError: The name is no stage's.
        StageFileError: The file of stages is wrong.
        CliError: A tool is missing, the account is another's, nobody agrees, or the CDK fails; then with the end of its
            output.
    """
    stage = stage_named(name)
    if revert_drift and stage.local:
        raise CliError("The local cloud tells no drift.", "Deploy without --revert-drift, or start it anew.")
    cdk = Cdk(client_environment(stage), _LOGS / f"deploy-{name}.log", lambda line: say(escape(line)))
    deployment = connect(name)
    context = {"stage": name}
    if file := stages_file():
        context["stages"] = str(file)
    if not stage.local:
        say(f"Stage '{name}' in {place_of(deployment, stage)}")
        stage, context = _fitted(deployment, stage, context)
    given = [part for key, value in context.items() for part in ("-c", f"{key}={value}")]
    assembly = str(cached_assembly(stage, lambda folder: cdk("synth", "--quiet", "--output", str(folder), *given)))
    if stage.local:
        _bootstrap_local_cloud(stage, cdk)
    arguments = ["--app", assembly, "--all", "--require-approval", "never", "--progress", "events"]
    if not _status(deployment):
        say("Nothing is deployed yet: all of it is new.")
    elif stage.keeps_data or not stage.local:
        how = ["--method", "template"] if stage.local else []
        cdk("diff", "--app", assembly, "--all", *how, tells_all=True)
        if revert_drift:
            cdk("drift", deployment.stack, "--app", assembly, tells_all=True)
            arguments.append("--revert-drift")
    if stage.keeps_data:
        confirm(f"Stage '{name}' keeps data. Deploy these changes?", yes=yes)
    try:
        # A change set takes its time; it is for people to look at.
        cdk("deploy", *arguments, *(["--method", "direct"] if stage.local else []))
    finally:
        if stage.keeps_data:
            protect(deployment)


def protect(deployment: Deployment) -> None:
    """Have CloudFormation refuse to delete a stage, unless its first deployment failed: that one has to be deleted."""
    if _status(deployment) not in _NEVER_WHOLE:
        deployment.cloudformation.update_termination_protection(
            StackName=deployment.stack, EnableTerminationProtection=True
        )


def _status(deployment: Deployment) -> str:
    """Return the status of a stage's stack; nothing if there is none."""
    try:
        return deployment.cloudformation.describe_stacks(StackName=deployment.stack)["Stacks"][0]["StackStatus"]
    except ClientError as error:
        if error_code(error) == "ValidationError":
            return ""
        raise


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something that cannot be taken back.

    Raises:
        CliError: The answer is no, or there is no terminal to ask at.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise CliError(f"{question} There is no terminal to ask at; nothing was changed.", "Say --yes if it is meant.")
    if not typer.confirm(visible(question), err=True):
        raise CliError("Nothing was changed.")


def place_of(deployment: Deployment, stage: Stage) -> str:
    """Return the account and the region of a stage, in words.

    Raises:
        CliError: The credentials of this shell are of another account than the stage's.
    """
    account = deployment.sts.get_caller_identity()["Account"]
    if stage.account not in {None, account}:
        raise CliError(
            f"Stage '{stage.name}' is in account {stage.account}, this shell's credentials are of account {account}.",
            f"Use credentials of {stage.account} (AWS_PROFILE), or correct account in the file of stages.",
        )
    return f"account {account}, region {deployment.sts.meta.region_name}"


def _fitted(deployment: Deployment, stage: Stage, context: Mapping[str, str]) -> tuple[Stage, dict[str, str]]:
    """Return the stage with sizes that suit the account, and the context that makes the same of it."""
    try:
        limits = deployment.functions.get_account_settings()["AccountLimit"]
    except ClientError as error:
        say(f"[yellow]The account's quota of concurrent functions cannot be read: {escape(str(error))}[/]")
        return stage, {**context}
    concurrency = limits["ConcurrentExecutions"]
    if concurrency >= _ROOMY:
        return stage, {**context}
    say(
        f"[yellow]The account runs {concurrency} functions at a time: sizes are cut to that. Ask for more in Service "
        "Quotas (Lambda, concurrent executions), then deploy again.[/]"
    )
    return stage.within(concurrency), {**context, "concurrency": str(concurrency)}


def client_environment(stage: Stage) -> dict[str, str]:
    """Return environment variables that lead AWS clients to the stage's account; none for the account of this shell.

    Raises:
        CliError: The stage is local and the local cloud is not up.
    """
    if not stage.local:
        return {}
    return {
        **local_cloud.require().client_environment,
        "NO_PROXY": ",".join(filter(None, [os.environ.get("NO_PROXY"), "localhost", "127.0.0.1"])),
    }


def _bootstrap_local_cloud(stage: Stage, cdk: Cdk) -> None:
    try:
        connect(stage.name).cloudformation.describe_stacks(StackName="CDKToolkit")
    except ClientError:
        cdk("bootstrap", f"aws://{stage.account}/{stage.region}", "--app", "")
