import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from cli.platform import cdk, local_cloud
from cli.platform.cdk import Cdk, cached_assembly
from cli.platform.console import CliError
from cli.platform.deploy import client_environment, deploy_stage
from cli.platform.local_cloud import LocalCloud
from infra.stage import StageNameError
from tests.support.stages import stage_named

DEV = stage_named("dev")
LOCAL = {"AWS_ENDPOINT_URL": "http://localhost:1", "AWS_ACCESS_KEY_ID": "test"}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Path at which a test may put its own `cdk`."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    path = tmp_path / "node_modules" / ".bin" / "cdk"
    path.parent.mkdir(parents=True)
    return path


def test_a_stage_on_aws_goes_to_the_account_of_this_shell() -> None:
    assert client_environment(stage_named("dev")) == {}


def test_the_local_stage_goes_to_the_local_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cloud, "running_cloud", lambda: LocalCloud(4599, 1, "key", "secret", Path()))
    monkeypatch.setenv("NO_PROXY", "intranet")
    environment = client_environment(stage_named("local"))
    assert environment["AWS_ENDPOINT_URL"] == "http://localhost:4599"
    assert (environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]) == ("key", "secret")
    assert environment["NO_PROXY"] == "intranet,localhost,127.0.0.1"


def test_without_the_local_cloud_there_is_no_local_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_cloud, "running_cloud", lambda: None)
    with pytest.raises(CliError, match="not up") as refused:
        deploy_stage("local")
    assert "sluice local up" in refused.value.hint


def test_a_wrong_name_is_refused_before_anything_runs() -> None:
    with pytest.raises(StageNameError, match="'Not_A_Stage' is no stage"):
        deploy_stage("Not_A_Stage")


def test_nothing_of_this_shells_aws_settings_reaches_the_local_cloud(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere")
    seen = _environment_of(program, tmp_path, LOCAL)
    assert {name: value for name, value in seen.items() if name.startswith("AWS_")} == LOCAL
    assert seen["PATH"].split(":")[0] == str(Path(sys.executable).parent)


def test_on_aws_this_shells_settings_count(program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    assert _environment_of(program, tmp_path, {})["AWS_PROFILE"] == "production"


def test_a_failure_shows_the_end_of_what_the_cdk_said(program: Path, tmp_path: Path) -> None:
    _write(program, "for n in range(100): print('line', n)\nraise SystemExit(3)")
    log = tmp_path / "cdk.log"
    with pytest.raises(CliError, match=r"`cdk deploy` failed(.|\n)*line 99$") as failed:
        Cdk({}, log, lambda _line: None)("deploy")
    assert "line 0\n" not in failed.value.message
    assert str(log) in failed.value.hint
    assert "line 0\n" in log.read_text()


def test_what_is_worth_telling_is_told_while_it_happens(program: Path, tmp_path: Path) -> None:
    _write(program, "print('Sluice-x | 1/2 | CREATE_IN_PROGRESS')\nprint('✅  Sluice-x')\nprint('x | CREATE_FAILED')")
    told: list[str] = []
    Cdk({}, tmp_path / "cdk.log", told.append)("deploy")
    assert told == ["✅  Sluice-x", "x | CREATE_FAILED"]


def test_a_missing_cdk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(CliError, match="CDK command is not installed"):
        Cdk({}, tmp_path / "cdk.log", lambda _line: None)("deploy")


def test_an_assembly_is_made_again_only_when_a_source_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdk, "ROOT", tmp_path)
    monkeypatch.setattr(cdk, "_SYNTH_CACHE", tmp_path / "build")
    (tmp_path / "infra" / "__pycache__").mkdir(parents=True)
    source = tmp_path / "infra" / "stage.py"
    source.write_text("1")
    made: list[str] = []

    def synthesise(folder: Path) -> None:
        folder.mkdir(parents=True)
        made.append(source.read_text())

    first = cached_assembly(DEV, synthesise)
    assert cached_assembly(DEV, synthesise) == first
    (tmp_path / "infra" / "__pycache__" / "stage.pyc").write_text("a cache")
    cached_assembly(DEV, synthesise)
    assert made == ["1"]
    source.write_text("2")
    cached_assembly(stage_named("int"), synthesise)
    second = cached_assembly(DEV, synthesise)
    assert made == ["1", "2", "2"]
    assert second.exists()
    assert cached_assembly(replace(DEV, region="eu-central-1"), synthesise) != second, "other settings"
    assert not first.exists(), "what is outdated is not kept"


def test_an_assembly_that_failed_is_not_taken_for_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdk, "_SYNTH_CACHE", tmp_path)

    def fail(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        raise CliError("`cdk synth` failed")

    for _ in range(2):
        with pytest.raises(CliError):
            cached_assembly(DEV, fail)


def _environment_of(program: Path, folder: Path, client: Mapping[str, str]) -> dict[str, str]:
    """The environment a `cdk` started with `client` finds."""
    found = folder / "environment.json"
    _write(program, f"import json, os, pathlib; pathlib.Path({str(found)!r}).write_text(json.dumps(dict(os.environ)))")
    Cdk(client, folder / "cdk.log", lambda _line: None)("deploy")
    environment: dict[str, str] = json.loads(found.read_text())
    return environment


def _write(program: Path, body: str) -> None:
    program.write_text(f"#!{sys.executable}\n{body}\n")
    program.chmod(0o755)
