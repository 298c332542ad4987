"""`sluice contract` on the packaged contracts."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.contracts import command
from cli.contracts.check import Problem
from cli.main import app
from sluice.contracts.load import load_registry


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["contract", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result.stdout if code == 0 else result.stderr


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("events")
    CliRunner().invoke(app, ["generate", str(folder), "--files", "8", "--events", "400"])
    return folder


def test_check_finds_no_problem() -> None:
    assert json.loads(run("check", "--json")) == []


def test_check_names_every_problem_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "check_registry", lambda: [Problem("A_PRED", "no [column] of time")])
    assert "A_PRED no [column] of time" in run("check", code=1)


def test_infer_drafts_what_the_files_hold(events: Path) -> None:
    drafts = json.loads(run("infer", *events.iterdir()))
    assert {draft["table"] for draft in drafts} >= {"MICROONE_PRED", "STE_EVENT", "MICROFOUR_EVENT"}
    assert {"family", "table", "samples", "schema", "description", "new_family"} < set(drafts[0])


def test_infer_writes_drafts_but_over_no_contract(events: Path, tmp_path: Path) -> None:
    kept = tmp_path / "event_files" / "MICROONE_PRED"
    kept.mkdir(parents=True)
    run("infer", *events.iterdir(), "--into", tmp_path)
    assert list(kept.iterdir()) == []
    assert (tmp_path / "event_files" / "MICROTWO_PRED" / "schema.json").exists()
    assert (tmp_path / "app_billing" / "family.json").exists()


def test_infer_says_what_is_no_event_and_what_a_draft_would_refuse(tmp_path: Path) -> None:
    (tmp_path / "other").write_text('{"source": "aws.health", "detail": {}} {"cut')
    said = run("infer", tmp_path / "other", code=1)
    assert "Passed over 1 piece: no event, in" in said
    assert "no EventBridge envelope" in said
    assert "The files hold no event that names what it is" in said

    (tmp_path / "late").write_text('{"source": "a", "detail-type": "b", "detail": {}, "time": "yesterday"}')
    said = run("infer", tmp_path / "late", "--into", tmp_path, code=1)
    assert "1 sample would be dirty: /time: " in said
    assert "No contract can be drafted for B_EVENT" in said
    assert not (tmp_path / "a").exists()

    assert "cannot be read" in run("infer", tmp_path / "nothing", code=1)


def test_samples_of_an_unknown_table_names_the_known_ones() -> None:
    assert "MICROONE_EVENT" in run("samples", "NOPE", code=1)


def test_samples_are_written_beside_the_schema(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(command, "TABLES", tmp_path)
    table = load_registry().contracts[0]
    folder = tmp_path / table.family.name / table.table
    folder.mkdir(parents=True)
    run("samples", table.table)
    assert {path.name for path in folder.iterdir()} == {
        "clean.json",
        "dirty.json",
    }
