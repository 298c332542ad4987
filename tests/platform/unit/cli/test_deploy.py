"""What is said after a deployment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cli.platform.deploy import alarms_have_no_recipient
from infra.platform.observability.settings import Observability, SlackChannel
from infra.stage import Stage, stage_named


def told(**watch: object) -> Stage:
    """prd with people to tell."""
    return replace(stage_named("prd"), watch=Observability(**watch))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["int", "prd"])
def test_a_lasting_stage_without_an_address_tells_nobody(name: str) -> None:
    assert alarms_have_no_recipient(stage_named(name))


@pytest.mark.parametrize("name", ["local", "dev", "we-1234-some-feature"])
def test_a_stage_that_is_to_tell_nobody_is_no_matter(name: str) -> None:
    assert not alarms_have_no_recipient(stage_named(name))


def test_one_address_is_enough() -> None:
    assert not alarms_have_no_recipient(told(emails=("on-call@example.org",)))
    assert not alarms_have_no_recipient(told(slack=SlackChannel(workspace="T1", channel="C1")))
