"""Stages whose alarms notify nobody."""

import pytest

from cli.platform.deploy import alarms_have_no_recipient
from infra.platform.observability.settings import Observability, SlackChannel
from tests.support.stages import stage_named


@pytest.mark.parametrize("name", ["int", "prd"])
def test_a_lasting_stage_without_an_address(name: str) -> None:
    assert alarms_have_no_recipient(stage_named(name).having(Observability()))


@pytest.mark.parametrize("name", ["local", "dev", "we-1234-some-feature"])
def test_a_stage_that_is_to_notify_nobody(name: str) -> None:
    assert not alarms_have_no_recipient(stage_named(name))


@pytest.mark.parametrize(
    "settings",
    [Observability(emails=("on-call@example.org",)), Observability(slack=SlackChannel(workspace="T1", channel="C1"))],
)
def test_one_address_is_enough(settings: Observability) -> None:
    assert not alarms_have_no_recipient(stage_named("prd").having(settings))
