"""Stages described in a file, and the names that are stages without one."""

from dataclasses import fields
from pathlib import Path

import pytest

from infra.event_files.settings import EventFiles
from infra.platform.observability.settings import Observability
from infra.stage import FunctionSize, ProducerBucket, Stage, StageNameError
from infra.stage_file import StageFileError, stage_named
from infra.vendor_exports.settings import VendorExports
from tests.support.stages import EXAMPLE, STAGES

WHOLE = """
[theirs]
kind = "lasting"
account = "123456789012"
region = "eu-central-1"
kms_key = "arn:aws:kms:eu-central-1:123456789012:key/abc"
proxy = "http://proxy:3128"
source = { existing = "events", owner = "210987654321", prefixes = ["a/", "b/"] }

[theirs.event_files]
conversion_schedule = "rate(1 hour)"
probe_schedule = false
validate_files = { memory_mb = 2048 }
dirty_percent = 1.5

[theirs.observability]
emails = ["a@example.com"]

[dev]
log_level = "DEBUG"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "our-stages.toml"
    path.write_text(WHOLE)
    return path


def test_a_stage_is_what_the_file_says_and_otherwise_what_its_kind_is(file: Path) -> None:
    stage = stage_named("theirs", file)
    assert (stage.name, stage.account, stage.region, stage.keeps_data) == (
        "theirs",
        "123456789012",
        "eu-central-1",
        True,
    )
    assert stage.source == ProducerBucket(existing="events", owner="210987654321", prefixes=("a/", "b/"))
    assert stage.media == ProducerBucket()
    files, usual = stage.settings(EventFiles), EventFiles()
    assert (files.conversion_schedule, files.probe_schedule, files.dirty_percent) == ("rate(1 hour)", None, 1.5)
    assert files.sweep_schedule == usual.sweep_schedule
    assert files.validate_files == FunctionSize(memory_mb=2048, timeout_seconds=usual.validate_files.timeout_seconds), (
        "of a setting with parts, the others stay"
    )
    assert stage.settings(Observability).emails == ("a@example.com",)
    assert stage.settings(VendorExports).schedule is None, "exports are opt-in"


def test_built_in_stages_need_no_table_and_take_one(file: Path) -> None:
    assert stage_named("dev", file).log_level == "DEBUG"
    assert not stage_named("dev", file).keeps_data
    assert stage_named("local", file).local
    assert stage_named("we-1234-some-feature", file).settings(EventFiles).conversion_schedule is None


@pytest.mark.parametrize(
    "name", ["", "Dev", "PROD", "we_1", "1st", "-a", "a--1", "a" * 31, "a b", "dev\n", "ünf", "a/b"]
)
def test_a_name_that_can_prefix_nothing_is_refused_with_what_is_allowed(name: str, file: Path) -> None:
    with pytest.raises(StageNameError) as refused:
        stage_named(name, file)
    assert repr(name) in str(refused.value)
    assert "we-1234-some-feature" in str(refused.value)


@pytest.mark.parametrize("name", ["prod", "prd", "int", "prd-2", "production", "feature-x", "theirs-2", "thiers"])
def test_a_name_that_nobody_described_is_no_throw_away_stage(name: str, file: Path) -> None:
    with pytest.raises(StageNameError, match="described in a file of stages") as refused:
        stage_named(name, file)
    assert "there are local, dev, theirs" in str(refused.value)
    assert ("Did you mean theirs?" in str(refused.value)) is (name in {"theirs-2", "thiers"})


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("[x]\n", "x: its kind is missing; add kind = one of local, feature, dev, lasting"),
        ("[x]\nkind = 'prod'\n", "x.kind: 'prod' is wrong; use one of"),
        ("[x]\nkind = ['dev']\n", "x.kind: ['dev'] is wrong; use one of"),
        ("x = 1\n", "x is no stage's table; write settings below the [name] of theirs"),
        ("region = 'eu-west-1'\n[x]\nkind = 'dev'\n", "region is no stage's table"),
        ("[x]\nkind = 'lasting'\naccount = '123456789012'\n", "x: a lasting stage names its region"),
        ("[x]\nkind = 'lasting'\naccount = false\nregion = 'eu-west-1'\n", "x: a lasting stage names its account"),
        ("[x]\nkind = 'local'\nregion = 'eu-west-1'\n", "x.region: the local cloud has its own; leave it out"),
        ("[x]\nkind = 'dev'\nname = 'y'\n", "x.name is no setting"),
        ("[x]\nkind = 'dev'\nsauce = 'y'\n", "x.sauce is no setting; did you mean source?"),
        ("[x]\nkind = 'dev'\n[x.event_file]\n", "x.event_file is no setting; did you mean event_files?"),
        ("[x]\nkind = 'dev'\nevent_files = 3\n", "x.event_files: 3 is no table"),
        ("[x]\nkind = 'dev'\naccount = 123456789012\n", "x.account: 123456789012 is wrong; use text in quotes"),
        ("[x]\nkind = 'dev'\nregion = 'Frankfurt'\n", "x.region: 'Frankfurt' is wrong; write it like \"eu-central-1\""),
        ("[x]\nkind = 'dev'\nmax_receives = 4\n", "x.max_receives: 4 is wrong; use at least 5"),
        (
            "[x]\nkind = 'dev'\n[x.event_files]\ndirty_retention_days = 391\n",
            "x.event_files.dirty_retention_days: 391 is wrong; use at least 1 and at most 390",
        ),
        ("[x]\nkind = 'dev'\nkms_key = 'alias/a'\n", "x.kms_key: 'alias/a' is wrong; write it like"),
        ("[x]\nkind = 'dev'\nproxy = 'proxy:3128'\n", "x.proxy: 'proxy:3128' is wrong; write it like"),
        ("[x]\nkind = 'dev'\nsource = {existing = 'A B'}\n", "x.source.existing: 'A B' is wrong"),
        (
            "[x]\nkind = 'dev'\nsource = {owner = '123456789012'}\n",
            "x.source: owner and kms_key are those of",
        ),
        ("[x]\nkind = 'dev'\nsource = {prefixes = ['a', 'a/b']}\n", "'a/b' begins with 'a', which is enough"),
        ("[x]\nkind = 'dev'\nsource = {prefixes = ['a', 'a']}\n", "'a' begins with 'a', which is enough"),
        ("[x]\nkind = 'dev'\nsource = {prefixes = ['']}\n", "x.source: prefixes: none may be empty"),
        *(
            (f"[x]\nkind = 'dev'\nsource = {{prefixes = ['{odd}']}}\n", f"prefixes: '{odd}' has a character")
            for odd in ("a b/", "a*", "a?/", "${aws:username}/", "é/", "a%2Fb", "~a")
        ),
        (
            "[x]\nkind = 'dev'\n[x.event_files]\nconversion_schedule = 'hourly'\n",
            "schedule: 'hourly' is wrong",
        ),
        ("[x]\nkind = 'dev'\n[x.observability]\nemails = ['me']\n", "x.observability.emails: 'me' is wrong"),
        ("[x]\nkind = 'dev'\n[x.vendor_exports]\nschedule = 'rate(1 hour)'\n", "with a schedule, company is needed"),
        (
            "[x]\nkind = 'dev'\n[x.vendor_exports]\nschedule = 'rate(1 hour)'\ncompany = 'ACME'\n",
            "with a schedule, download_hosts are needed",
        ),
        ("[x\n", "is no TOML"),
    ],
)
def test_what_is_wrong_is_named_with_file_key_and_remedy(file: Path, written: str, message: str) -> None:
    file.write_text(written)
    with pytest.raises(StageFileError) as refused:
        stage_named("x", file)
    assert message in str(refused.value)
    assert "our-stages.toml" in str(refused.value)


@pytest.mark.parametrize(
    "schedule",
    [
        "rate(1 hours)",
        "rate(15 minute)",
        "cron(0 6 * * * *)",
        "cron(0 6 ? * ? *)",
        "cron(0 6 1 * MON *)",
        "cron(0 6 * * ?)",
    ],
)
def test_a_schedule_that_aws_would_refuse_is_refused_before(file: Path, schedule: str) -> None:
    file.write_text(f"[x]\nkind = 'dev'\n[x.event_files]\nprobe_schedule = '{schedule}'\n")
    with pytest.raises(StageFileError, match=r"our-stages\.toml: x\.event_files\.probe_schedule: .* write it like"):
        stage_named("x", file)


def test_a_function_that_could_never_run_is_refused(file: Path) -> None:
    file.write_text("[x]\nkind = 'dev'\nevent_files.validate_files = { reserved_concurrency = 0 }\n")
    with pytest.raises(StageFileError, match=r"reserved_concurrency: 0 is wrong; use at least 1"):
        stage_named("x", file)


def test_the_mark_that_some_editors_write_is_no_content(file: Path) -> None:
    file.write_text(WHOLE, encoding="utf-8-sig")
    assert stage_named("theirs", file).account == "123456789012"


def test_a_file_of_another_coding_is_named(file: Path) -> None:
    file.write_bytes("[x]\nkind = 'dev'\n".encode("utf-16"))
    with pytest.raises(StageFileError, match=r"our-stages\.toml is no TOML"):
        stage_named("x", file)


def test_the_example_shows_every_kind_of_setting() -> None:
    stages = [stage_named(name, EXAMPLE) for name in STAGES]
    usual = Stage(name="usual")
    shown = {
        field.name
        for stage in stages
        for field in fields(Stage)
        if getattr(stage, field.name) != getattr(usual, field.name)
    }
    assert {"account", "region", "source", "media", "kms_key", "former_kms_keys", "proxy"} <= shown
    sources = [stage.source for stage in stages]
    assert all(any(getattr(source, field.name) for source in sources) for field in fields(ProducerBucket))


@pytest.mark.parametrize(("concurrency", "most"), [(10, 2), (100, 20), (1000, 50)])
def test_sizes_fit_the_accounts_quota(concurrency: int, most: int) -> None:
    fitted = stage_named("dev").within(concurrency)
    files = fitted.settings(EventFiles)
    assert files.files.max_concurrency == most
    assert files.convert_max_concurrency == min(20, most)
    assert fitted.settings(VendorExports).copy_max_concurrency == min(10, most)


def test_nothing_is_reserved_where_the_account_has_nothing_to_give() -> None:
    reserving = stage_named("dev").having(
        EventFiles(validate_files=FunctionSize(memory_mb=1024, timeout_seconds=60, reserved_concurrency=20))
    )
    assert reserving.within(100).settings(EventFiles).validate_files.reserved_concurrency is None
    assert reserving.within(1000).settings(EventFiles).validate_files.reserved_concurrency == 20
