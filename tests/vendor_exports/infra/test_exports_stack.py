from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from infra.stage import BUILT_IN
from infra.vendor_exports.settings import Exports
from tests.platform.infra.test_functions import HOUSE_VARIABLES
from tests.support.synthesis import Synthesis, text
from tests.support.synthesised_stages import FEATURE, ODD

SLOTS, LAKE = {"SLOTS_TABLE": "<Slots>"}, {"LAKE_BUCKET": "<Lake>"}
FLOW, SCOPE = {"ENVIRONMENT": "Prod"}, {"OUT_OF_SCOPE": "ODDITIES,CURIOSITIES"}
VENDOR = {
    "AUTH_URL": "https://auth.odd.example",
    "EXPORT_URL": "https://export.odd.example",
    "FILES_URL": "https://files.odd.example",
    "COMPANY": "ODD",
    "DOWNLOAD_HOSTS": "one.odd.example,two.odd.example",
    "SECRET_ID": "sluice-odd/veson",
    "TIMEOUT_SECONDS": "16",
    "PAUSE_MILLISECONDS": "1007",
    "OTHER_VENDORS": "",
    **FLOW,
    **SLOTS,
}
TOLD: dict[str, dict[str, str]] = {
    "claim_slot": {**VENDOR, "LEASE_MINUTES": "115"},
    "trigger_job": {**VENDOR, "PATIENCE_SECONDS": "1001"},
    "check_job": {**VENDOR, "POLL_SECONDS": "103", "DEADLINE_SECONDS": "1004"},
    "list_files": {
        **VENDOR,
        **LAKE,
        "MAX_FILE_BYTES": "1011",
        "BATCH_FILES": "9",
        "BATCH_BYTES": "1010",
        "ROUNDS": "8",
    },
    "copy_files": {**VENDOR, **LAKE},
    "check_delivery": {**LAKE, **SLOTS, **FLOW, **SCOPE, "ROUNDS": "8"},
    "record_result": {**SLOTS, **FLOW},
    "update_history": {**LAKE, **FLOW, **SCOPE, "MAX_SLOTS": "113"},
    "plan_history": {**LAKE, **FLOW},
    "observe_hours": LAKE,
}


def test_the_odd_stage_has_no_setting_by_default() -> None:
    """Else the tests below would not see that one does not arrive."""
    usual = Exports()
    assert not [each.name for each in fields(Exports) if getattr(ODD.exports, each.name) == getattr(usual, each.name)]


@pytest.mark.parametrize("folder", TOLD)
def test_the_settings_of_the_stage_reach_the_function(odd: Synthesis, folder: str) -> None:
    function, size = odd.function(folder), getattr(ODD.exports, folder)
    variables = function["Environment"]["Variables"]
    assert {name: _known(variables[name]) for name in variables.keys() - HOUSE_VARIABLES} == TOLD[folder]
    assert (function["MemorySize"], function["Timeout"]) == (size.memory_mb, size.timeout_seconds)


def test_the_stage_says_when_an_hour_is_exported(odd: Synthesis) -> None:
    schedule = odd.exports.properties("AWS::Scheduler::Schedule", "Exports")
    assert schedule["ScheduleExpression"] == ODD.exports.schedule


@pytest.mark.parametrize("name", [*BUILT_IN, FEATURE])
def test_only_the_local_stage_talks_to_other_vendors(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    functions = [function["Environment"]["Variables"] for _, function in synthesis_of(name).functions()]
    allowed = {variables["OTHER_VENDORS"] for variables in functions if "OTHER_VENDORS" in variables}
    assert allowed == ({"allowed"} if name == "local" else {""})


def test_outputs_lead_the_command_line_to_everything(stage: Synthesis) -> None:
    outputs = stage.exports.outputs()
    assert outputs.keys() == {"ExportMachine", "HistoryMachine", "UpdateHistoryFunction", "ExportEnvironment"}
    assert outputs["ExportMachine"].endswith(f":stateMachine:{stage.stage.resource_prefix}-export")
    assert outputs["HistoryMachine"].endswith(f":stateMachine:{stage.stage.resource_prefix}-history")
    assert outputs["UpdateHistoryFunction"].startswith("<FunctionsUpdateHistoryFunction")
    assert outputs["ExportEnvironment"] == ("Prod" if stage.stage.name == "prd" else "Test")


def test_no_state_of_its_own(stage: Synthesis) -> None:
    kinds = {resource["Type"] for resource in stage.exports.body["Resources"].values()}
    assert not kinds & {"AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"}


def _known(value: Any) -> str:
    """A variable's value; what is imported from the lake's stack by its name there."""
    shown = text(value)
    for name in ("Lake", "Slots"):
        if f"ExportsOutputRef{name}" in shown:
            return f"<{name}>"
    return shown
