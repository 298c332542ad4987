"""An export of a stage whose secret no person has put in: it ends as idle, and takes no slot."""

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from sluice.runs.model import Result
from sluice.vendor_exports.client.api import PLACEHOLDER
from sluice.vendor_exports.run_summary import EXPORTS, summarise_export
from tests.support.moto.backend import items_of
from tests.vendor_exports.integration.exporting import ENVIRONMENT, SLOTS_TABLE, Exporting, export

__all__ = ["export"]

AS_DEPLOYED = json.dumps({"Veson_client_id": PLACEHOLDER, "Veson_client_secret": "generated"})


def claim(export: Exporting, secret: str, **given: str) -> Any:
    boto3.client("secretsmanager").put_secret_value(SecretId=ENVIRONMENT["SECRET_ID"], SecretString=secret)
    return export.call("claim_slot", {**export.claim_event("run"), "input": given})


@pytest.mark.parametrize("given", [{}, {"slot": "20260301-11"}])
def test_the_secret_as_deployed_takes_no_slot_and_is_no_failure(export: Exporting, given: dict[str, str]) -> None:
    ended = claim(export, AS_DEPLOYED, **given)
    assert (ended["decision"], ended["export"]["slot"]) == ("not_set_up", given.get("slot", "20260301-12"))
    assert items_of(SLOTS_TABLE) == []
    found: Any = SimpleNamespace(output=ended, input={})
    assert EXPORTS.outcomes[summarise_export(found).outcome] is Result.IDLE


@pytest.mark.parametrize("secret", ["no JSON", "{}", json.dumps({"Veson_client_id": "a", "Veson_client_secret": ""})])
def test_a_secret_that_was_put_in_is_used_at_once_whatever_it_is(export: Exporting, secret: str) -> None:
    assert claim(export, AS_DEPLOYED)["decision"] == "not_set_up"
    assert claim(export, secret)["decision"] == "trigger"


def test_a_vendor_that_stands_in_takes_the_secret_as_deployed(export: Exporting) -> None:
    assert claim(export, AS_DEPLOYED, vendor_url=export.simulator.url)["decision"] == "trigger"
