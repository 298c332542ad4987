"""A chunk that cannot be read is left out of the run and waits on; the others are converted, each row once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import orjson
import pytest
from botocore.exceptions import ClientError

from cli.event_files.convert import left_out_text
from sluice.aws.runtime import to_dynamodb
from sluice.event_files.convert.leaving_out import FruitlessRunError
from sluice.event_files.convert.model import left_out_key
from sluice.event_files.ledger.model import CLEAN_PREFIX, DIRTY_PREFIX, LeftOut
from sluice.lake.lease import LeaseLostError
from tests.support.lake_tables import data_files
from tests.support.moto.aws_calls import KilledError, call_failures
from tests.support.moto.backend import objects_of
from tests.support.moto.stage import LAKE, LEDGER, REGISTRY, MotoStage, new_moto_stage
from tests.support.sample_events import body, broken, event
from tests.support.snapshots import SYSTEM, assert_books_balance, ledger, tables

Harm = Callable[[bytes], bytes | None]

HARM: dict[str, Harm] = {
    "gone": lambda _: None,
    "empty": lambda _: b"",
    "a byte short": lambda lines: lines[:-1],
    "a line short": lambda lines: b"".join(lines.splitlines(keepends=True)[:-1]),
    "its last line blank": lambda lines: b" " * (len(lines) - 1) + b"\n",
    "zeros": lambda lines: bytes(len(lines)),
    "its first byte flipped": lambda lines: b"(" + lines[1:],
    "a list": lambda lines: (b"[" + b"1," * len(lines))[: len(lines) - 3] + b"1]\n",
}


@pytest.fixture
def stage(moto_stage: MotoStage) -> MotoStage:
    arrive(moto_stage)
    return moto_stage


def arrive(stage: MotoStage) -> None:
    """Let two chunks wait: the first has rows of two tables and a dirty record, the second rows of one of these."""
    first = body(event("MICROONE_EVENT", 1, hour=9), event("MICROTWO_PRED", 2), broken(3))
    stage.arrive("x/first", first)
    stage.arrive("x/second", body(event("MICROONE_EVENT", 4), broken(5)))


def ids() -> list[str]:
    """Return the ids of all rows."""
    return sorted(row["id"] for table, rows in tables().items() if table not in SYSTEM for row in rows)


SECOND = ["MICROONE_EVENT-4"]
ALL = ["MICROONE_EVENT-1", "MICROONE_EVENT-4", "MICROTWO_PRED-2"]


def spoil(stage: MotoStage, prefix: str, harm: Harm) -> tuple[str, bytes]:
    """Harm the object of the first chunk; return its key and what it held."""
    key, whole = next(iter(objects_of(LAKE, prefix).items()))
    harmed = harm(whole)
    stage.lake.delete([key])
    if harmed is not None:
        stage.lake.write(key, harmed)
    return key, whole


@pytest.mark.parametrize("prefix", [CLEAN_PREFIX, DIRTY_PREFIX])
@pytest.mark.parametrize("harm", HARM.values(), ids=HARM.keys())
def test_the_others_are_converted_and_it_is_once_it_is_whole_again(stage: MotoStage, prefix: str, harm: Harm) -> None:
    key, whole = spoil(stage, prefix, harm)
    summary = stage.convert()
    assert summary is not None
    (left_out,) = summary.left_out
    assert left_out["chunk_id"] in key
    assert (left_out["files"], left_out["events"]) == (1, 2)
    assert (summary.files, summary.rows, ids()) == (1, {"MICROONE_EVENT": 1}, SECOND)
    (waiting,) = ledger("chunk#pending")
    assert (waiting["sk"], waiting["left_out"]) == (left_out["chunk_id"], left_out["reason"])
    assert not ledger("run")
    stage.lake.write(key, whole)
    assert (stage.convert(), ids()) != (None, SECOND)
    assert ids() == ALL
    assert len(tables()["PROFILING_LOG"]) == 5
    assert_books_balance()


def test_a_chunk_whose_rows_were_altered_within_a_string_is_not_converted(stage: MotoStage) -> None:
    key, whole = spoil(stage, CLEAN_PREFIX, lambda lines: lines.replace(b"MICROTWO_PRED-2", b"MICROTWO_PRED-3"))
    summary = stage.convert()
    assert summary is not None
    assert f"{key} was replaced" in summary.left_out[0]["reason"]
    assert (len(summary.left_out), ids()) == (1, SECOND)
    stage.lake.write(key, whole)
    stage.convert()
    assert ids() == ALL


@pytest.mark.parametrize("harm", [HARM["zeros"], HARM["its first byte flipped"], HARM["a list"]])
def test_damage_is_found_where_the_record_has_no_etag(stage: MotoStage, harm: Harm) -> None:
    for chunk in ledger("chunk#pending"):
        assert chunk.pop("clean_etag")
        stage.dynamodb.put_item(TableName=LEDGER, Item=to_dynamodb(chunk))
    key, _ = spoil(stage, CLEAN_PREFIX, harm)
    summary = stage.convert()
    assert summary is not None
    assert f"{key} is damaged" in summary.left_out[0]["reason"]
    assert (len(summary.left_out), ids()) == (1, SECOND)


def test_what_was_written_of_it_before_counts_for_nothing() -> None:
    with new_moto_stage(batch_bytes=1) as stage:  # a group for each batch
        _half_converted(stage)
        written = [key for key in data_files(LAKE) if "MICROONE_EVENT" in key]
        assert (len(written), ids()) == (2, [])
        (run,) = ledger("run")
        summary = stage.convert("b")
        assert summary is not None
        assert (summary.run_id, summary.rows, ids()) == (run["run_id"], {"MICROONE_EVENT": 1}, SECOND)


def test_calls_that_leave_out_other_chunks_overwrite_no_plan(stage: MotoStage) -> None:
    """Attempts at a group may fail at other chunks, and so may two calls that leave them out."""
    planned, plans = stage.plan("a"), []
    (group,) = stage.read_plan(planned).groups
    for chunk_id in group.chunk_ids:
        note = orjson.dumps([LeftOut(chunk_id, "not given out")])
        stage.lake.write(left_out_key(group.run_id, group.group_id), note)
        with suppress(LeaseLostError):
            stage.leave_out(planned)
        plans.append(stage.lake.read(stage.runs.open_run().plan_key))  # type: ignore[union-attr, arg-type]
    assert plans[0] == plans[1], "the one that was published holds"


def test_every_crash_on_the_way() -> None:
    """Wherever a run with a lost chunk dies, of which rows were written before: the next one ends well."""
    for trouble in [each for each in call_failures(_calls_of_a_run()) if each.killed]:
        with new_moto_stage(batch_bytes=1) as stage:
            key, whole = _half_converted(stage)
            with stage.calls.intercept(trouble), suppress(KilledError):
                stage.convert()
            stage.convert()
            assert ids() == SECOND, trouble
            stage.lake.write(key, whole)
            stage.convert()
            assert ids() == ALL, trouble
            assert_books_balance()


def _calls_of_a_run() -> list[str]:
    with new_moto_stage(batch_bytes=1) as stage:
        _half_converted(stage)
        with stage.calls.record() as operations:
            stage.convert()
        return operations


def _half_converted(stage: MotoStage) -> tuple[str, bytes]:
    """Convert all groups but one of the first chunk's, then lose that chunk; return its key and what it held."""
    arrive(stage)
    planned = stage.plan("a")
    for group in stage.read_plan(planned).groups:
        if group.batches[0].table != "MICROTWO_PRED":
            stage.work(group)
    return spoil(stage, CLEAN_PREFIX, lambda _: None)


def test_where_nothing_can_be_read_the_run_fails_and_the_next_one_plans_anew(stage: MotoStage) -> None:
    with (
        _denied(stage, CLEAN_PREFIX),
        pytest.raises(FruitlessRunError, match=r"none of its chunks \(2\).*s3:GetObject"),
    ):
        stage.convert()
    assert not ledger("run")
    assert not data_files(LAKE)
    stage.arrive("x/third", body(event("MICROONE_EVENT", 6)))
    summary = stage.convert()
    assert summary is not None
    assert (summary.files, summary.left_out, ids()) == (3, [], sorted([*ALL, "MICROONE_EVENT-6"]))
    assert_books_balance()


def test_a_chunk_alone_that_is_gone_fails_no_run(stage: MotoStage) -> None:
    for key in objects_of(LAKE, CLEAN_PREFIX):
        stage.lake.delete([key])
    summary = stage.convert()
    assert summary is not None
    assert (len(summary.left_out), summary.rows, ids()) == (2, {}, [])
    assert not ledger("run")


@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException", "InvalidObjectState"])
def test_an_object_that_is_not_given_out(stage: MotoStage, code: str) -> None:
    (key, *_) = objects_of(LAKE, CLEAN_PREFIX)
    with _denied(stage, key, code):
        summary = stage.convert()
    assert summary is not None
    assert code in summary.left_out[0]["reason"]
    assert ids() == SECOND
    stage.convert()
    assert ids() == ALL


def test_an_object_that_is_not_given_out_for_a_moment_fails_the_batch(stage: MotoStage) -> None:
    """Which of its chunks it was, nobody can say."""
    (key, *_) = objects_of(LAKE, CLEAN_PREFIX)
    with _denied(stage, key, "SlowDown"), pytest.raises(FruitlessRunError, match="SlowDown"):
        stage.convert()
    assert ["SlowDown" in chunk["left_out"] for chunk in ledger("chunk#pending")] == [True, True]
    stage.convert()
    assert ids() == ALL


def test_chunks_of_one_file_stay_together(moto_stage: MotoStage) -> None:
    """The file is validated again as a whole, so none of its rows may be in a table before."""
    moto_stage.limits = type(moto_stage.limits)(chunk_bytes=1, max_file_bytes=1 << 20)
    moto_stage.arrive(
        "x/large", body(event("MICROONE_EVENT", 1), event("MICROONE_EVENT", 2), event("MICROTWO_PRED", 3))
    )
    moto_stage.arrive("x/other", body(event("MICROONE_EVENT", 4)))
    spoil(moto_stage, CLEAN_PREFIX, lambda _: None)
    summary = moto_stage.convert()
    assert summary is not None
    assert (len(summary.left_out), ids()) == (3, SECOND)
    (gone, *companions) = sorted(summary.left_out, key=lambda chunk: "belongs to a file of" in chunk["reason"])
    assert all(gone["chunk_id"] in chunk["reason"] for chunk in companions)
    assert sorted("part of a file" in left_out_text(each["chunk_id"], each) for each in summary.left_out) == [
        False,
        True,
        True,
    ], "the last chunk of a file counts it"


def test_rows_are_planned_with_the_columns_they_are_clean_by(stage: MotoStage) -> None:
    """They are converted as they are then; only rows of other columns are looked through."""
    batches = stage.read_plan(stage.plan("a")).batches
    known = {batch.table: {span.columns for span in batch.spans} for batch in batches if batch.table}
    assert known == {table: {REGISTRY.contract(table).columns_id} for table in ("MICROONE_EVENT", "MICROTWO_PRED")}


@contextmanager
def _denied(stage: MotoStage, prefix: str, code: str = "AccessDenied") -> Iterator[None]:
    """Let S3 refuse to give out the lake's objects under a prefix."""

    def refuse(params: dict[str, str], **_: object) -> None:
        if params.get("Key", "").startswith(prefix):
            raise ClientError({"Error": {"Code": code, "Message": code}}, "GetObject")

    events = stage.s3.meta.events
    events.register("provide-client-params.s3.GetObject", refuse)
    try:
        yield
    finally:
        events.unregister("provide-client-params.s3.GetObject", refuse)
