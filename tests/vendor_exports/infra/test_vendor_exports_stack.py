import json
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any
from unittest.mock import Mock

import pytest

from infra.stage import BUILT_IN
from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports.delivery.vendor_access_http import SecretCredentials
from tests.platform.infra.test_functions import HOUSE_VARIABLES
from tests.support.synthesis import Synthesis, text
from tests.support.synthesised_stages import FEATURE, ODD_EXPORTS

SECRET = "AWS::SecretsManager::Secret"
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
    usual = VendorExports()
    assert not [
        each.name for each in fields(VendorExports) if getattr(ODD_EXPORTS, each.name) == getattr(usual, each.name)
    ]


@pytest.mark.parametrize("folder", TOLD)
def test_the_settings_of_the_stage_reach_the_function(odd: Synthesis, folder: str) -> None:
    function, size = odd.function(folder), getattr(ODD_EXPORTS, folder)
    variables = function["Environment"]["Variables"]
    assert {name: _known(variables[name]) for name in variables.keys() - HOUSE_VARIABLES} == TOLD[folder]
    assert (function["MemorySize"], function["Timeout"]) == (size.memory_mb, size.timeout_seconds)


def test_the_stage_says_when_an_hour_is_exported(odd: Synthesis) -> None:
    schedule = odd.vendor_exports.properties("AWS::Scheduler::Schedule", "Exports")
    assert schedule["ScheduleExpression"] == ODD_EXPORTS.schedule


@pytest.mark.parametrize("name", [*BUILT_IN, FEATURE])
def test_only_the_local_stage_talks_to_other_vendors(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    functions = [function["Environment"]["Variables"] for _, function in synthesis_of(name).functions()]
    allowed = {variables["OTHER_VENDORS"] for variables in functions if "OTHER_VENDORS" in variables}
    assert allowed == ({"allowed"} if name == "local" else {""})


def test_outputs_lead_the_command_line_to_everything(stage: Synthesis) -> None:
    outputs = stage.vendor_exports.outputs()
    machines, rest = {"ExportMachine", "HistoryMachine"}, {"SlotsTable", "VendorSecret", "ExportEnvironment"}
    assert outputs.keys() == {*machines, *rest, "UpdateHistoryFunction"}
    assert outputs["ExportMachine"].endswith(f":stateMachine:{stage.stage.resource_prefix}-export")
    assert outputs["HistoryMachine"].endswith(f":stateMachine:{stage.stage.resource_prefix}-history")
    assert outputs["UpdateHistoryFunction"].startswith("<FunctionsUpdateHistoryFunction")
    assert outputs["ExportEnvironment"] == ("Prod" if stage.stage.name == "prd" else "Test")
    assert outputs["SlotsTable"].startswith("<Slots")
    assert outputs["VendorSecret"] == f"sluice-{stage.stage.name}/veson"


def test_the_result_of_an_hour_is_never_forgotten(stage: Synthesis) -> None:
    assert "TimeToLiveSpecification" not in stage.vendor_exports.properties("AWS::DynamoDB::Table", "Slots")


def test_the_secret_has_a_name_no_value_and_the_form_that_functions_read(stage: Synthesis) -> None:
    (secret,) = [each["Properties"] for each in stage.vendor_exports.of_type(SECRET).values()]
    assert secret["Name"] == f"sluice-{stage.stage.name}/veson"
    assert "SecretString" not in secret
    generated = secret["GenerateSecretString"]
    assert json.loads(generated["SecretStringTemplate"]) == {"Veson_client_id": "put the vendor's value here"}
    made = {**json.loads(generated["SecretStringTemplate"]), generated["GenerateStringKey"]: "generated"}
    client = Mock(get_secret_value=Mock(return_value={"SecretString": json.dumps(made)}))
    assert SecretCredentials(client, secret["Name"]).current().client_secret == "generated"


def _known(value: Any) -> str:
    """Return a variable's value; a reference as the name of its resource."""
    shown = text(value)
    return "<Lake>" if "ExportsOutputRefLake" in shown else re.sub(r"^<Slots\w{8}>$", "<Slots>", shown)
