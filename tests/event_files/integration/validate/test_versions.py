"""Objects of versioned buckets: each that was announced counts, also when its key names another by then, or none."""

from contextlib import nullcontext
from itertools import permutations

import pytest

from cli.event_files.again import announce_again
from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.validate.announcements import announced_objects
from tests.event_files.integration.convert.test_again import deliver, deployed, lose
from tests.support.lambda_handlers import eventbridge_announcement, s3_announcement
from tests.support.moto.backend import answer_with_error
from tests.support.moto.stage import SOURCE, MotoStage
from tests.support.sample_events import dump, event
from tests.support.snapshots import assert_books_balance, tables


@pytest.fixture
def stage(moto_stage: MotoStage) -> MotoStage:
    moto_stage.s3.put_bucket_versioning(Bucket=SOURCE, VersioningConfiguration={"Status": "Enabled"})
    return moto_stage


def put(stage: MotoStage, number: int) -> SourceObject:
    return stage.put("x/a", dump(event("MICROONE_EVENT", number)))


def ids(stage: MotoStage) -> list[str]:
    stage.convert()
    assert_books_balance()
    return [row["id"].removeprefix("MICROONE_EVENT-") for row in tables()["MICROONE_EVENT"]]


@pytest.mark.parametrize("order", [*permutations(range(4))])
def test_what_was_replaced_before_it_was_read_counts_once(stage: MotoStage, order: tuple[int, ...]) -> None:
    """The last upload brings the bytes of the first one again: another version, the same object."""
    sources = [put(stage, number) for number in (1, 2, 3, 1)]
    assert all(not stage.validate(sources[place]).failed for place in order)
    assert sorted(ids(stage)) == ["1", "2", "3"]


@pytest.mark.parametrize("form", [eventbridge_announcement, s3_announcement])
def test_what_was_deleted_before_it_was_read_counts_unless_its_version_went(stage: MotoStage, form: object) -> None:
    kept, lost = put(stage, 1), put(stage, 2)
    stage.s3.delete_object(Bucket=SOURCE, Key="x/a")
    stage.s3.delete_object(Bucket=SOURCE, Key="x/a", VersionId=lost.version)
    announced = [*announced_objects(form(kept)), *announced_objects(form(lost))]  # type: ignore[operator]
    assert not stage.validate(*announced).failed
    assert [stage.record(source)["status"] for source in (kept, lost)] == ["validated", "gone"]
    assert ids(stage) == ["1"]


@pytest.mark.parametrize("allowed", [False, True])
def test_a_version_that_may_not_be_read_is_not_gone(stage: MotoStage, *, allowed: bool) -> None:
    source = put(stage, 1)
    stage.s3.delete_object(Bucket=SOURCE, Key="x/a")
    with (
        nullcontext()
        if allowed
        else answer_with_error(stage.s3, "GetObject", f"x/a?versionId={source.version}", 403, "AccessDenied")
    ):
        assert stage.validate(source).failed.keys() == (set() if allowed else {source})
    assert allowed or "s3:GetObjectVersion" in stage.record(source)["message"]


def test_a_file_whose_chunk_was_lost_is_validated_again_by_its_version(stage: MotoStage) -> None:
    for number in (1, 2):
        assert not stage.validate(put(stage, number)).failed
    commands, chunk_id = deployed(stage), lose(stage)
    announce_again(commands, [chunk_id])
    deliver(stage, commands)
    assert sorted(ids(stage)) == ["1", "2"]
