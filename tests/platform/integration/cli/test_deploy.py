"""`sluice deploy`: where to, what changes, and who agreed, before the CDK deploys anything."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.platform import deploy
from cli.platform.session import Deployment
from cli.platform.stages import FILE_VARIABLE
from infra.event_files.settings import EventFiles
from infra.stage import Stage
from tests.support.cli_environment import sluice

OURS, OTHERS = "123456789012", "210987654321"  # moto's account, and another


class Account:
    """A new account, or one with the usual quota."""

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency

    def get_account_settings(self) -> Any:
        return {"AccountLimit": {"ConcurrentExecutions": self.concurrency}}


class Stacks:
    """A stack that is there, and whether it was protected."""

    protected, missing, status = False, False, "UPDATE_COMPLETE"

    def describe_stacks(self, **_: str) -> Any:
        if self.missing:
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "no such stack"}}, "DescribeStacks")
        return {"Stacks": [{"StackStatus": self.status}]}

    def update_termination_protection(self, **request: Any) -> None:
        self.protected = request["EnableTerminationProtection"]


class Cdk:
    """Notes its commands, and the stage whose assembly was asked for."""

    def __init__(self) -> None:
        self.commands: list[tuple[str, ...]] = []
        self.stage: Stage | None = None

    def __call__(self, *command: str, **_: bool) -> None:
        self.commands.append(command)

    def assembly(self, stage: Stage, synthesise: Callable[[Path], None]) -> Path:
        self.stage = stage
        synthesise(Path("made"))
        return Path("made")


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "our-stages.toml"
    path.write_text(f'[ours]\nkind = "lasting"\naccount = "{OURS}"\nregion = "us-east-1"\n')
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return path


@pytest.fixture
def cdk(stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> Cdk:
    made = Cdk()
    stage.__dict__.update(functions=Account(1000), cloudformation=Stacks())
    monkeypatch.setattr(deploy, "Cdk", lambda *_: made)
    monkeypatch.setattr(deploy, "cached_assembly", made.assembly)
    return made


def test_a_lasting_stage_is_not_touched_without_a_yes(cdk: Cdk) -> None:
    refused = sluice("deploy", "--stage", "ours", code=1).stderr
    assert f"account {OURS}, region us-east-1" in refused
    assert "no terminal" in refused
    assert "--yes" in refused
    assert [command for command, *_ in cdk.commands] == ["synth", "diff"]


def test_drift_is_shown_before_it_is_put_back(cdk: Cdk) -> None:
    sluice("deploy", "--stage", "ours", "--yes", "--revert-drift")
    assert [command for command, *_ in cdk.commands] == ["synth", "diff", "drift", "deploy"]
    assert "--revert-drift" in cdk.commands[-1]


def test_the_local_cloud_tells_no_drift(cdk: Cdk) -> None:
    assert "no drift" in sluice("deploy", "--revert-drift", code=1).stderr
    assert cdk.commands == []


def test_an_agreed_deployment_says_where_it_goes_and_what_changes_first(
    cdk: Cdk, file: Path, stage: Deployment
) -> None:
    said = sluice("deploy", "--stage", "ours", "--yes").stderr
    assert f"account {OURS}, region us-east-1" in said
    (_, *synth), _, (_, *deployed) = cdk.commands
    assert [command for command, *_ in cdk.commands] == ["synth", "diff", "deploy"]
    assert {"stage=ours", f"stages={file}"} <= set(synth)
    assert "--method" not in deployed, "on AWS a change set is made"
    assert stage.__dict__["cloudformation"].protected


@pytest.mark.parametrize(
    ("status", "protected"),
    [
        ("CREATE_COMPLETE", True),
        ("UPDATE_ROLLBACK_COMPLETE", True),
        ("ROLLBACK_COMPLETE", False),
        ("CREATE_FAILED", False),
    ],
)
def test_a_stage_is_protected_unless_its_first_deployment_failed(
    cdk: Cdk, stage: Deployment, status: str, protected: bool
) -> None:
    """That one has to be deleted before the next."""
    assert cdk
    stage.__dict__["cloudformation"].status = status
    sluice("deploy", "--stage", "ours", "--yes")
    assert stage.__dict__["cloudformation"].protected is protected


def test_a_passing_stage_is_deployed_without_a_question(cdk: Cdk) -> None:
    sluice("deploy", "--stage", "we-1-feature")
    assert [command for command, *_ in cdk.commands] == ["synth", "diff", "deploy"]


def test_of_a_first_deployment_all_is_new(cdk: Cdk, stage: Deployment) -> None:
    stage.__dict__["cloudformation"].missing = True
    assert "all of it is new" in sluice("deploy", "--stage", "we-1-feature").stderr
    assert [command for command, *_ in cdk.commands] == ["synth", "deploy"]


def test_another_account_than_the_stages_is_refused(cdk: Cdk, file: Path) -> None:
    file.write_text(file.read_text().replace(OURS, OTHERS))
    refused = sluice("deploy", "--stage", "ours", "--yes", code=1).stderr
    assert f"is in account {OTHERS}" in refused
    assert f"are of account {OURS}" in refused
    assert not cdk.commands


def test_a_new_accounts_quota_cuts_the_sizes(cdk: Cdk, stage: Deployment) -> None:
    stage.__dict__["functions"] = Account(10)
    said = sluice("deploy", "--stage", "we-1-feature").stderr
    assert "runs 10 functions at a time" in said
    assert "concurrency=10" in cdk.commands[0]
    assert cdk.stage
    assert cdk.stage.settings(EventFiles).files.max_concurrency == 2
    assert cdk.stage.settings(EventFiles).convert_max_concurrency == 2


@pytest.mark.parametrize("name", ["prod", "Dev", "ours-2"])
def test_a_name_that_is_nobodys_is_no_throw_away_stage(cdk: Cdk, name: str) -> None:
    refused = sluice("deploy", "--stage", name, "--yes", code=1).stderr
    assert f"'{name}' is no stage" in refused
    assert not cdk.commands


def test_a_file_that_is_not_there_is_named(cdk: Cdk, file: Path) -> None:
    file.unlink()
    assert str(file) in sluice("deploy", code=1).stderr.replace("\n", "")
    assert not cdk.commands


def test_a_wrong_setting_is_named_with_file_and_remedy(file: Path) -> None:
    file.write_text(file.read_text() + "[ours.event_files]\nconversion_shedule = 'rate(1 hour)'\n")
    refused = sluice("deploy", "--stage", "ours", "--yes", code=1).stderr
    assert (
        "our-stages.toml: ours.event_files.conversion_shedule is no setting; did you mean conversion_schedule?"
        in refused
    )
