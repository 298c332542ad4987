"""Settings of the vendor's exports against its hour, its flows, and the time of the machines."""

import re

import pytest

from infra.vendor_exports.settings import VendorExports
from sluice.http.patience import LONGEST_WAIT
from sluice.http.requests_http import ATTEMPTS
from sluice.http.retrying import LONGEST_PAUSE
from sluice.vendor_exports.client.api import Environment
from sluice.vendor_exports.delivery.copy_files import LIFETIME_MINUTES
from tests.support.stages import FEATURE, STAGES, stage_named

ALL = {name: stage_named(name).settings(VendorExports) for name in (*STAGES, FEATURE)}


@pytest.fixture(params=ALL)
def settings(request: pytest.FixtureRequest) -> VendorExports:
    return ALL[request.param]


def test_an_export_has_time_for_all_it_may_wait_for_and_all_rounds_of_copying(settings: VendorExports) -> None:
    once = (
        settings.claim_slot,
        settings.trigger_job,
        settings.check_job,
        settings.record_result,
        settings.update_history,
    )
    every_round = (settings.list_files, settings.copy_files, settings.check_delivery)
    waiting = 2 * settings.patience_seconds + settings.first_wait_seconds + settings.deadline_seconds
    working = sum(step.timeout_seconds for step in once)
    rounds = settings.rounds * (settings.poll_seconds + sum(step.timeout_seconds for step in every_round))
    assert waiting + working + rounds <= settings.timeout_minutes * 60


def test_a_silent_vendor_does_not_outlast_the_functions_that_ask_it(settings: VendorExports) -> None:
    """They have to say that it is to be waited for."""
    longest = ATTEMPTS * settings.vendor_timeout_seconds + (ATTEMPTS - 1) * LONGEST_PAUSE
    for function in (settings.trigger_job, settings.check_job, settings.list_files):
        assert longest < function.timeout_seconds


def test_a_url_outlives_the_function_that_copies_from_it(settings: VendorExports) -> None:
    assert settings.copy_files.timeout_seconds < LIFETIME_MINUTES * 60


def test_no_step_outlives_the_history_machine(settings: VendorExports) -> None:
    steps = (settings.plan_history, settings.observe_hours, settings.update_history)
    assert sum(step.timeout_seconds for step in steps) <= settings.history_timeout_minutes * 60


def test_an_export_waits_as_long_as_the_vendors_hour_and_a_usual_job(settings: VendorExports) -> None:
    assert settings.patience_seconds >= LONGEST_WAIT
    assert settings.deadline_seconds >= 2 * 25 * 60


def test_only_production_reads_the_vendors_production_flow() -> None:
    assert [name for name, settings in ALL.items() if settings.environment is Environment.PROD] == ["prd"]


def test_a_flow_of_the_vendor_has_one_schedule() -> None:
    """It takes one job an hour: two stages would take turns, and each would miss every other hour."""
    scheduled = [settings.environment for settings in ALL.values() if settings.schedule]
    assert sorted(scheduled) == [Environment.PROD, Environment.TEST]


def test_the_vendor_is_called_over_tls_only(settings: VendorExports) -> None:
    for url in (settings.auth_url, settings.export_url, settings.files_url):
        assert re.fullmatch(r"https://[a-z]+\.veslink\.com", url)
    assert not [host for host in settings.download_hosts if "*" in host or "/" in host]
