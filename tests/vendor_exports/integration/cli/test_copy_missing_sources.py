"""Sources of `sluice history copy-missing`: Test and Prod are never mixed, and keys are untrusted."""

import pytest

from cli.platform.session import Deployment
from tests.vendor_exports.integration.cli.conditional_s3 import ConditionalS3
from tests.vendor_exports.integration.cli.copy_missing_command import FOLDER, ROOT, found, lake, put, run


def test_hostile_keys_are_counted_and_ignored(s3: ConditionalS3) -> None:
    put(s3, "Voyage_1")
    hostile = ("../up", "..", "a\\b", "a\nb", "sub/Voyage_1", "")
    put(s3, *hostile)
    put(s3, "x", folder=f"{ROOT}20260230/00/")
    put(s3, "x", "y/z", folder=ROOT)
    put(s3, "x", folder="IMOSDL/Hourly/20260131/22/")
    document = found("--yes")
    assert (document["files"], document["ignored"]) == (1, len(hostile) + 3)
    assert list(lake(s3)) == [f"{FOLDER}Voyage_1"]


@pytest.mark.parametrize("mine", ["Test", "Prod"])
def test_the_other_flow_is_never_copied(s3: ConditionalS3, stage: Deployment, mine: str) -> None:
    stage.__dict__["outputs"]["ExportEnvironment"] = mine
    prefixes = {"Test": "DEV/IMOSDL/Hourly/", "Prod": "IMOSDL/Hourly/"}
    other = next(prefix for flow, prefix in prefixes.items() if flow != mine)
    put(s3, "Voyage_1", folder=f"{other}20260131/23/")
    assert found("--yes")["slots"] == []
    refusal = run("--yes", source=f"s3://the-other/{other}", code=1)
    assert "never mixed" in refusal.stderr
    assert lake(s3) == {}


def test_the_older_layout_is_mapped_to_ours(s3: ConditionalS3, stage: Deployment) -> None:
    stage.__dict__["outputs"]["ExportEnvironment"] = "Prod"
    put(s3, "Voyage_1", folder="IMOS/Hourly/20220208/08/")
    assert found("--yes", source="s3://the-other/IMOS/Hourly")["files"] == 1
    assert list(lake(s3)) == ["IMOSDL/Hourly/20220208/08/Voyage_1"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("s3://The Other", "no S3 URL"),
        ("s3://the-other/elsewhere/", "no prefix of a known flow"),
        ("s3://the-lake", "own lake"),
        ("s3://nowhere-at-all", "no bucket nowhere-at-all"),
    ],
)
@pytest.mark.usefixtures("s3")
def test_an_invalid_source_is_one_sentence(source: str, said: str) -> None:
    result = run(source=source, code=1)
    assert result.stdout == ""
    assert said in result.stderr


@pytest.mark.usefixtures("s3")
def test_an_empty_range_is_one_sentence() -> None:
    result = run("--from", "20260201-00", "--to", "20260131-00", code=1)
    assert "no hour from 20260201-00 to 20260131-00" in result.stderr
