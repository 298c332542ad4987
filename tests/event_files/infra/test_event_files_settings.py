"""Settings of event files against the limits of queues, ledger and machine."""

import pytest

from infra.event_files.settings import EventFiles
from sluice.event_files.validate.validation import MAX_SOURCES_PER_COMMIT
from tests.support.stages import FEATURE, STAGES, stage_named


@pytest.fixture(params=[*STAGES, FEATURE])
def settings(request: pytest.FixtureRequest) -> EventFiles:
    return stage_named(request.param).settings(EventFiles)


def test_a_batch_of_announcements_fits_one_ledger_transaction(settings: EventFiles) -> None:
    assert settings.files.messages <= MAX_SOURCES_PER_COMMIT


def test_queues_can_be_read_as_asked(settings: EventFiles) -> None:
    for batching in (settings.files, settings.media):
        assert 2 <= batching.max_concurrency <= 1000
        assert 1 <= batching.window_seconds <= 300, "more than ten messages at once ask for a window"


def test_no_step_outlives_the_machine(settings: EventFiles) -> None:
    steps = (settings.plan_conversion, settings.convert_batch, settings.commit_conversion, settings.profile_run)
    assert sum(step.timeout_seconds for step in steps) <= settings.conversion_timeout_minutes * 60
