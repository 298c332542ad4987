"""`sluice ingest --again`: the files of a chunk that was lost are validated once more, and their events count once."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from cli.event_files.again import announce_again
from cli.platform.console import CliError
from cli.platform.session import Deployment
from sluice.event_files.ledger.model import CLEAN_PREFIX, DIRTY_PREFIX, SourceObject
from sluice.event_files.validate.announcements import announced_objects
from tests.support.cli_environment import deployment
from tests.support.moto.aws_calls import KilledError, call_failures
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, LEDGER, SOURCE, MotoStage, new_moto_stage
from tests.support.sample_events import body, broken, event
from tests.support.snapshots import SYSTEM, assert_books_balance, ledger, tables

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ALL = ["MICROONE_EVENT-1", "MICROONE_EVENT-4", "MICROTWO_PRED-2"]
FIRST = body(event("MICROONE_EVENT", 1), event("MICROTWO_PRED", 2), broken(3))


def ids() -> list[str]:
    """Return the ids of all rows."""
    return sorted(row["id"] for table, rows in tables().items() if table not in SYSTEM for row in rows)


def deployed(stage: MotoStage) -> Deployment:
    """The stage as commands see it."""
    sqs: SQSClient = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="files")["QueueUrl"]
    outputs = {"LedgerTable": LEDGER, "LakeBucket": LAKE, "SourceBucket": SOURCE, "QueueUrl": queue}
    return deployment(s3=stage.s3, dynamodb=stage.dynamodb, sqs=sqs, outputs=outputs)


def deliver(stage: MotoStage, commands: Deployment) -> None:
    """Validate what is in the queue."""
    queue = commands.output("QueueUrl")
    while messages := commands.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            assert not stage.validate(*announced_objects(message["Body"])).failed
            commands.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])


def lose(stage: MotoStage) -> str:
    """Lose the first chunk, and convert the others; return its id."""
    stage.lake.delete([next(iter(objects_of(LAKE, CLEAN_PREFIX)))])
    summary = stage.convert()
    assert summary is not None
    return str(summary.left_out[0]["chunk_id"])


def assert_all_is_there_once(stage: MotoStage) -> None:
    stage.convert()
    assert ids() == ALL
    assert len(tables()["PROFILING_LOG"]) == 5
    assert not ledger("chunk#pending")
    assert_books_balance()


def arrive(stage: MotoStage) -> None:
    stage.arrive("x/first", FIRST)
    stage.arrive("x/second", body(event("MICROONE_EVENT", 4), broken(5)))


def test_its_files_are_validated_once_more_and_their_events_count_once(moto_stage: MotoStage) -> None:
    arrive(moto_stage)
    commands, chunk_id = deployed(moto_stage), lose(moto_stage)
    assert [each.source.key for each in announce_again(commands, [chunk_id])] == ["x/first"]
    assert not ledger("chunk#pending")
    for _ in range(2):  # the announcement comes twice
        deliver(moto_stage, commands)
    assert_all_is_there_once(moto_stage)
    assert len(objects_of(LAKE, DIRTY_PREFIX)) == 2, "those of the lost chunk went with it"
    with pytest.raises(CliError, match="has no files of 1 chunk"):
        announce_again(commands, [chunk_id])


def test_wherever_the_command_dies_it_goes_on_when_it_is_given_again() -> None:
    with new_moto_stage() as stage:
        arrive(stage)
        commands, chunk_id = deployed(stage), lose(stage)
        with stage.calls.record() as operations:
            announce_again(commands, [chunk_id])
    for trouble in [each for each in call_failures(operations) if each.killed]:
        with new_moto_stage() as stage:
            arrive(stage)
            commands, chunk_id = deployed(stage), lose(stage)
            with stage.calls.intercept(trouble), suppress(KilledError):
                announce_again(commands, [chunk_id])
            with suppress(CliError):  # it had done all
                deliver(stage, commands)
                announce_again(commands, [chunk_id])
            deliver(stage, commands)
            assert_all_is_there_once(stage)


def test_as_many_chunks_as_an_outage_may_cost(moto_stage: MotoStage) -> None:
    """DynamoDB takes 4 KB of an expression: the names of 130 chunks or so."""
    moto_stage.limits = type(moto_stage.limits)(chunk_bytes=1, max_file_bytes=1 << 20)
    moto_stage.arrive("x/first", FIRST)
    commands, sizes = deployed(moto_stage), list[int]()

    def note(params: dict[str, Any], **_: object) -> None:
        sizes.append(len(params["FilterExpression"]))

    events, name = moto_stage.dynamodb.meta.events, "provide-client-params.dynamodb.Scan"
    lost = [chunk["sk"] for chunk in ledger("chunk#pending")]
    others = [f"{number:032}" for number in range(200)]
    events.register(name, note)
    try:
        with pytest.raises(CliError, match="no files of 200 chunks"):
            announce_again(commands, [lost[0], *others, *lost[1:]])
    finally:
        events.unregister(name, note)
    assert max(sizes) <= 4096
    assert len(announce_again(commands, lost)) == 1


def test_a_chunk_that_a_run_may_still_convert_is_refused(moto_stage: MotoStage) -> None:
    arrive(moto_stage)
    commands = deployed(moto_stage)
    planned = moto_stage.plan("a")
    before = ledger()
    with pytest.raises(CliError, match="A conversion is going on"):
        announce_again(commands, [moto_stage.read_plan(planned).chunk_ids[0]])
    assert ledger() == before


def test_a_chunk_that_was_converted_is_refused(moto_stage: MotoStage) -> None:
    arrive(moto_stage)
    commands, summary = deployed(moto_stage), moto_stage.convert()
    assert summary is not None
    before = ledger()
    with pytest.raises(CliError, match=f"was converted by run {summary.run_id}"):
        announce_again(commands, [ledger("chunk#converted")[0]["sk"]])
    assert ledger() == before


def test_a_file_of_several_chunks_and_one_under_several_etags(moto_stage: MotoStage) -> None:
    """What lies in the bucket now is a copy of the same bytes, under an ETag that added nothing."""
    moto_stage.limits = type(moto_stage.limits)(chunk_bytes=1, max_file_bytes=1 << 20)
    commands = deployed(moto_stage)
    moto_stage.arrive("x/first", FIRST)
    copied = _uploaded_in_parts(moto_stage, "x/first", FIRST)
    moto_stage.validate(copied)
    moto_stage.arrive("x/second", body(event("MICROONE_EVENT", 4), broken(5)))
    chunk_id = lose(moto_stage)
    announced: list[Any] = announce_again(commands, [chunk_id])
    assert {each.source.key for each in announced} == {"x/first"}
    deliver(moto_stage, commands)
    moto_stage.convert()
    assert ids() == ALL
    assert len(tables()["PROFILING_LOG"]) == 5


def test_a_file_of_parts_that_was_uploaded_in_one_piece_since(moto_stage: MotoStage) -> None:
    in_parts = _uploaded_in_parts(moto_stage, "x/first", FIRST)
    assert not moto_stage.validate(in_parts).failed
    moto_stage.arrive("x/first", FIRST)
    moto_stage.arrive("x/second", body(event("MICROONE_EVENT", 4), broken(5)))
    commands, chunk_id = deployed(moto_stage), lose(moto_stage)
    announce_again(commands, [chunk_id])
    deliver(moto_stage, commands)
    assert_all_is_there_once(moto_stage)


def _uploaded_in_parts(stage: MotoStage, key: str, content: bytes) -> SourceObject:
    upload = stage.s3.create_multipart_upload(Bucket=SOURCE, Key=key)["UploadId"]
    part = stage.s3.upload_part(Bucket=SOURCE, Key=key, UploadId=upload, PartNumber=1, Body=content)["ETag"]
    done: Any = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    etag = stage.s3.complete_multipart_upload(Bucket=SOURCE, Key=key, UploadId=upload, MultipartUpload=done)["ETag"]
    return SourceObject(SOURCE, key, etag.strip('"'))
