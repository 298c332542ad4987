from __future__ import annotations

import ast
import re
from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from infra.platform.sizes import FunctionSize
from infra.stage import BUILT_IN, Stage, StageNameError, stage_named
from infra.vendor_exports.settings import Exports
from sluice.event_files.validate.validation import MAX_SOURCES_PER_COMMIT
from sluice.vendor_exports.delivery.job import LONGEST_WAIT
from sluice.vendor_exports.delivery.slots import Environment
from tests.support.synthesis import ROOT

FEATURE = "we-1234-some-feature"
ALL = [*BUILT_IN, FEATURE]


@pytest.mark.parametrize("name", ALL)
def test_every_stage_has_its_own_names(name: str) -> None:
    stage = stage_named(name)
    assert stage.name == name
    assert name in stage.stack_prefix
    assert name in stage.resource_prefix
    assert stage.database.removeprefix("sluice_").replace("_", "-") == name
    assert stage.vendor_secret == f"sluice-{name}/veson"


@pytest.mark.parametrize("name", ["", "Dev", "we_1", "1st", "-a", "a-", "a--b", "a" * 31, "a b", "dev\n", "ünf", "a/b"])
def test_a_name_that_can_prefix_nothing_is_refused_with_what_is_allowed(name: str) -> None:
    with pytest.raises(StageNameError) as refused:
        stage_named(name)
    assert repr(name) in str(refused.value)
    assert "local, dev, int, prd" in str(refused.value)


def test_settings_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        stage_named("dev").chunk_bytes = 1  # type: ignore[misc]


@pytest.mark.parametrize("name", [FEATURE, "local"])
def test_a_passing_stage_leaves_nothing_behind_and_runs_nothing_on_its_own(name: str) -> None:
    stage = stage_named(name)
    assert not stage.keeps_data
    assert stage.conversion_schedule is None
    assert stage.sweep_schedule is None
    assert stage.exports.schedule is None
    assert stage.alarms is stage.local, "there in the template only"
    assert stage.log_retention_days <= 3


def test_production_keeps_its_data_and_reads_the_producers_buckets() -> None:
    stage = stage_named("prd")
    assert stage.keeps_data
    assert stage.alarms
    assert stage.source_bucket
    assert stage.media_bucket
    assert stage.log_retention_days >= 90


@pytest.mark.parametrize("name", ALL)
def test_a_batch_of_announcements_fits_one_ledger_transaction(name: str) -> None:
    assert stage_named(name).files.messages <= MAX_SOURCES_PER_COMMIT


@pytest.mark.parametrize("name", ALL)
def test_queues_can_be_read_as_asked(name: str) -> None:
    for batching in (stage_named(name).files, stage_named(name).media):
        assert 2 <= batching.max_concurrency <= 1000
        assert 1 <= batching.window_seconds <= 300, "more than ten messages at once ask for a window"


@pytest.mark.parametrize("name", ALL)
def test_no_function_outlives_lambda_nor_the_machine(name: str) -> None:
    stage = stage_named(name)
    for size in [*_sizes(stage), *_sizes(stage.exports)]:
        assert size.timeout_seconds <= 900
        assert 128 <= size.memory_mb <= 10_240
    steps = (stage.plan_conversion, stage.convert_batch, stage.commit_conversion, stage.profile_run)
    assert sum(step.timeout_seconds for step in steps) <= stage.conversion_timeout_minutes * 60
    exports = stage.exports
    history = (exports.plan_history, exports.observe_hours, exports.update_history)
    assert sum(step.timeout_seconds for step in history) <= exports.history_timeout_minutes * 60


@pytest.mark.parametrize("name", ALL)
def test_an_export_has_time_for_all_it_may_wait_for_and_all_rounds_of_copying(name: str) -> None:
    exports = stage_named(name).exports
    once = (exports.claim_slot, exports.trigger_job, exports.check_job, exports.record_result, exports.update_history)
    every_round = (exports.list_files, exports.copy_files, exports.check_delivery)
    waiting = exports.patience_seconds + exports.first_wait_seconds + exports.deadline_seconds
    working = sum(step.timeout_seconds for step in once)
    rounds = exports.rounds * (exports.poll_seconds + sum(step.timeout_seconds for step in every_round))
    assert waiting + working + rounds <= exports.timeout_minutes * 60


@pytest.mark.parametrize("name", ALL)
def test_an_export_waits_as_long_as_the_vendors_hour_and_a_usual_job(name: str) -> None:
    exports = stage_named(name).exports
    assert exports.patience_seconds >= LONGEST_WAIT
    assert exports.deadline_seconds >= 2 * 25 * 60


def test_only_production_reads_the_vendors_production_flow() -> None:
    assert [name for name in ALL if stage_named(name).exports.environment is Environment.PROD] == ["prd"]


def test_a_flow_of_the_vendor_has_one_schedule() -> None:
    """It takes one job an hour: two stages would take turns, and each would miss every other hour."""
    flows = [stage_named(name).exports for name in ALL]
    scheduled = [exports.environment for exports in flows if exports.schedule]
    assert sorted(scheduled) == [Environment.PROD, Environment.TEST]


@pytest.mark.parametrize("name", ALL)
def test_the_vendor_is_spoken_to_over_tls_only(name: str) -> None:
    exports = stage_named(name).exports
    for url in (exports.auth_url, exports.export_url, exports.files_url):
        assert re.fullmatch(r"https://[a-z]+\.veslink\.com", url)
    assert not [host for host in exports.download_hosts if "*" in host or "/" in host]


@pytest.mark.parametrize("path", [ROOT / "app.py", *sorted((ROOT / "infra").rglob("*.py"))], ids=lambda p: p.name)
def test_nothing_in_infra_reads_the_environment(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not names & {"environ", "getenv", "environb"}


def _sizes(settings: Stage | Exports) -> list[FunctionSize]:
    values = [getattr(settings, field.name) for field in fields(settings)]
    return [value for value in values if isinstance(value, FunctionSize)]
