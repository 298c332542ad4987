"""Every function, whatever its stack: its environment, size, role, log and tags."""

import ast

import pytest

from infra.stage import FunctionSize, Stage
from tests.support.source_files import handler_path, own_sources
from tests.support.synthesis import ROOT, Synthesis, text

SEARCH_FOLDERS = ("install_search", "load_search")
"""Functions that only stages with a search cluster have; `test_search.py` has a stage of theirs."""
ALL_FOLDERS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/*/handler.py"))
FOLDERS = [folder for folder in ALL_FOLDERS if folder not in SEARCH_FOLDERS]
# Variables that Powertools and the emitter of metrics read in every function, and OpenMP where it is.
HOUSE_VARIABLES = {"LOG_LEVEL", "POWERTOOLS_SERVICE_NAME", "STAGE", "PIPELINE", "OMP_WAIT_POLICY"}


def test_every_folder_of_functions_is_one_function(stage: Synthesis) -> None:
    assert sorted(folder for folder, _ in stage.functions()) == FOLDERS


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_is_told_exactly_what_its_handler_reads(stage: Synthesis, folder: str) -> None:
    variables = stage.function(folder)["Environment"]["Variables"]
    assert variables.keys() - HOUSE_VARIABLES == _settings_read_by(folder) - HOUSE_VARIABLES
    assert (variables["STAGE"], variables["PIPELINE"]) == (stage.stage.name, handler_path(folder).parts[-3])


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_function_has_the_size_target_traces_and_log_of_its_stage(stage: Synthesis, folder: str) -> None:
    properties = stage.function(folder)
    size = _size(stage.stage, folder)
    assert properties["MemorySize"] == size.memory_mb
    assert properties["Timeout"] == size.timeout_seconds
    assert properties["Handler"] == "handler.handler"
    assert properties["Runtime"] == "python3.14"
    assert properties["Architectures"] == ["arm64"]
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert properties["Description"]
    assert properties["LoggingConfig"]["LogFormat"] == "JSON"
    log = dict(stage.resources())[properties["LoggingConfig"]["LogGroup"]["Ref"]]
    assert log["Properties"]["RetentionInDays"] == stage.stage.log_retention_days


def test_no_two_functions_share_a_role_or_a_log(stage: Synthesis) -> None:
    roles = {text(function["Role"]) for _, function in stage.functions()}
    logs = {text(function["LoggingConfig"]["LogGroup"]) for _, function in stage.functions()}
    assert len(roles) == len(logs) == len(FOLDERS)


def test_everything_says_what_it_belongs_to(stage: Synthesis) -> None:
    wanted = [{"Key": "project", "Value": "sluice"}, {"Key": "stage", "Value": stage.stage.name}]
    for _, function in stage.functions():
        assert function["Tags"] == wanted


def test_a_function_knows_the_name_of_a_secret_and_never_its_value(stage: Synthesis) -> None:
    for folder, function in stage.functions():
        secrets = {
            name: text(value)
            for name, value in function["Environment"]["Variables"].items()
            if any(word in name for word in ("SECRET", "PASSWORD", "TOKEN", "CLIENT", "KEY"))
        }
        (secret,) = stage.template.of_type("AWS::SecretsManager::Secret")
        assert secrets in ({}, {"SECRET_ID": ""}, {"SECRET_ID": f"<{secret}.Id>"}), folder


def _size(stage: Stage, folder: str) -> FunctionSize:
    (owner,) = [settings for settings in (stage, *stage.parts) if hasattr(settings, folder)]
    size: FunctionSize = getattr(owner, folder)
    return size


def _settings_read_by(folder: str) -> set[str]:
    """Return the names that the handler, and our modules that it imports, call `setting` with."""
    read: set[str] = set()
    for source in own_sources(handler_path(folder)):
        calls = [node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call)]
        read.update(ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "setting")
    return read
