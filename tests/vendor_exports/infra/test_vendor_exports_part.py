import json
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from unittest.mock import Mock

import pytest

from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports.client.api import PLACEHOLDER
from sluice.vendor_exports.delivery.vendor_access_http import SecretCredentials
from tests.platform.infra.test_functions import HOUSE_VARIABLES
from tests.support.stages import FEATURE, STAGES
from tests.support.synthesis import Synthesis, text
from tests.support.synthesised_stages import ODD_EXPORTS

SECRET = "AWS::SecretsManager::Secret"
TOLD = {
    "SLOTS_TABLE": "<Slots>",
    "LAKE_BUCKET": "<LakeBucket>",
    "DATABASE": "sluice_odd",
    "ENVIRONMENT": ODD_EXPORTS.environment.value,
    "OUT_OF_SCOPE": ",".join(ODD_EXPORTS.out_of_scope),
    "AUTH_URL": ODD_EXPORTS.auth_url,
    "EXPORT_URL": ODD_EXPORTS.export_url,
    "FILES_URL": ODD_EXPORTS.files_url,
    "COMPANY": ODD_EXPORTS.company,
    "DOWNLOAD_HOSTS": ",".join(ODD_EXPORTS.download_hosts),
    "SECRET_ID": "<VendorSecret>",
    "TIMEOUT_SECONDS": str(ODD_EXPORTS.vendor_timeout_seconds),
    "PAUSE_MILLISECONDS": str(ODD_EXPORTS.pause_milliseconds),
    "OTHER_VENDORS": "",
    "PROXY": "",
    "LEASE_MINUTES": str(ODD_EXPORTS.timeout_minutes + 10),
    "PATIENCE_SECONDS": str(ODD_EXPORTS.patience_seconds),
    "POLL_SECONDS": str(ODD_EXPORTS.poll_seconds),
    "DEADLINE_SECONDS": str(ODD_EXPORTS.deadline_seconds),
    "MAX_FILE_BYTES": str(ODD_EXPORTS.max_file_bytes),
    "BATCH_FILES": str(ODD_EXPORTS.batch_files),
    "BATCH_BYTES": str(ODD_EXPORTS.batch_bytes),
    "ROUNDS": str(ODD_EXPORTS.rounds),
    "MAX_SLOTS": str(ODD_EXPORTS.history_slots),
}
"""Variables of the functions; `test_functions.py` proves that each function has those that its handler reads."""


def test_the_odd_stage_has_no_setting_by_default() -> None:
    """Else the tests below would not see that one does not arrive."""
    odd, usual = asdict(ODD_EXPORTS), asdict(VendorExports())
    assert not [name for name in odd if odd[name] == usual[name]]


def test_the_settings_of_the_stage_reach_the_functions(odd: Synthesis) -> None:
    told = {}
    for folder, function in odd.functions():
        if size := getattr(ODD_EXPORTS, folder, None):
            assert (function["MemorySize"], function["Timeout"]) == (size.memory_mb, size.timeout_seconds)
            variables = function["Environment"]["Variables"]
            known = {name: _known(variables[name]) for name in variables.keys() - HOUSE_VARIABLES}
            assert known.items() <= TOLD.items(), folder
            told.update(known)
    assert told == TOLD


@pytest.mark.parametrize("name", [*STAGES, FEATURE])
def test_only_the_local_stage_talks_to_other_vendors(synthesis_of: Callable[[str], Synthesis], name: str) -> None:
    functions = [function["Environment"]["Variables"] for _, function in synthesis_of(name).functions()]
    allowed = {variables["OTHER_VENDORS"] for variables in functions if "OTHER_VENDORS" in variables}
    assert allowed == ({"allowed"} if name == "local" else {""})


def test_outputs_lead_the_command_line_to_everything(stage: Synthesis) -> None:
    outputs = stage.vendor_exports.outputs()
    machines, rest = {"ExportMachine", "HistoryMachine"}, {"SlotsTable", "VendorSecret", "ExportEnvironment"}
    assert outputs.keys() >= {*machines, *rest, "UpdateHistoryFunction"}
    assert outputs["ExportMachine"].endswith(f":stateMachine:{stage.stage.resource_prefix}-export")
    assert outputs["HistoryMachine"].endswith(f":stateMachine:{stage.stage.resource_prefix}-history")
    assert outputs["UpdateHistoryFunction"].startswith("<FunctionsUpdateHistoryFunction")
    assert outputs["ExportEnvironment"] == ("Prod" if stage.stage.name == "prd" else "Test")
    assert outputs["SlotsTable"].startswith("<Slots")
    assert outputs["VendorSecret"].startswith("<VendorSecret")


def test_the_result_of_an_hour_is_never_forgotten(stage: Synthesis) -> None:
    assert "TimeToLiveSpecification" not in stage.vendor_exports.properties("AWS::DynamoDB::Table", "Slots")


def test_the_secret_has_a_name_no_value_and_the_form_that_functions_read(stage: Synthesis) -> None:
    (secret,) = [each["Properties"] for each in stage.vendor_exports.of_type(SECRET).values()]
    assert stage.stage.name in secret["Description"]
    assert "SecretString" not in secret
    generated = secret["GenerateSecretString"]
    assert json.loads(generated["SecretStringTemplate"]) == {"Veson_client_id": PLACEHOLDER}
    made = {**json.loads(generated["SecretStringTemplate"]), generated["GenerateStringKey"]: "generated"}
    client = Mock(get_secret_value=Mock(return_value={"SecretString": json.dumps(made)}))
    assert SecretCredentials(client, "any").current().client_secret == "generated"
    assert not SecretCredentials(client, "any").are_put_in()


def _known(value: Any) -> str:
    """Return a variable's value; a reference as the name of its resource."""
    shown = text(value)
    return re.sub(r"^<(?:VendorExports)?(\w+)\w{8}(?:\.Id)?>$", r"<\1>", shown)
