"""A table is dropped, or dropped and created anew, between the conversion of its rows and their commit."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from pyiceberg.exceptions import NoSuchTableError

from sluice.aws import runtime
from sluice.contracts.model import Table
from sluice.event_files.convert.committing import commit
from sluice.event_files.convert.leaving_out import FruitlessRunError, PartlyCommittedError
from sluice.lake.tables_iceberg import CommitError, IcebergTables
from tests.support.lake_tables import DATABASE, prepare_tables
from tests.support.moto.stage import LAKE, REGISTRY, MotoStage
from tests.support.sample_events import body, event
from tests.support.snapshots import assert_books_balance, tables

FIRST, OTHER = "MICROONE_EVENT", "MICROTWO_PRED"  # they are committed in this order
ALL = {FIRST: {f"{FIRST}-0", f"{FIRST}-1"}, OTHER: {f"{OTHER}-0", f"{OTHER}-1"}}


def found() -> dict[str, set[str]]:
    """Return the ids of the events in both tables, each of which is there once, with what it holds."""
    rows = {table: tables().get(table, []) for table in ALL}
    for each in rows.values():
        assert len(each) == len({row["id"] for row in each})
        assert all(row["date_time"] and row["shape_id"] and row["_source_key"] for row in each)
    return {table: {row["id"] for row in each} for table, each in rows.items()}


def table_of(name: str) -> Table:
    (table,) = (each for each in REGISTRY.tables() if each.name == name)
    return table


def narrower(name: str) -> Table:
    """Return a table without one of its first columns: what it gains later has the last of all ids."""
    return replace(table_of(name), columns=tuple(each for each in table_of(name).columns if each.name != "account"))


def planned(stage: MotoStage, *gained: str) -> None:
    """Convert rows of both tables, some of which gained a column since they were created, and commit none."""
    prepare_tables(LAKE)
    for name in gained:
        stage.tables.drop(table_of(name))
        stage.tables.prepare(narrower(name))
        stage.tables.prepare(table_of(name))
    for number in range(2):
        stage.arrive(f"file-{number}", body(event(FIRST, number), event(OTHER, number)))
    stage.convert_batches(stage.plan("a"))


@pytest.mark.parametrize("name", [FIRST, OTHER])
def test_its_rows_are_converted_for_the_new_table(moto_stage: MotoStage, name: str) -> None:
    planned(moto_stage, name)
    moto_stage.tables.drop(table_of(name))
    moto_stage.tables.prepare(table_of(name))
    summary = moto_stage.convert("a")
    assert summary is not None
    assert not summary.left_out
    assert found() == ALL
    assert_books_balance()


@pytest.mark.parametrize("name", [FIRST, OTHER])
def test_its_rows_wait_while_it_is_gone_and_others_are_converted(moto_stage: MotoStage, name: str) -> None:
    planned(moto_stage)
    moto_stage.arrive("of others", body(*(event(each, 2) for each in ALL if each != name)))
    moto_stage.tables.drop(table_of(name))
    with pytest.raises(FruitlessRunError, match=f"the catalog has no table {name}: deploy the stage"):
        moto_stage.convert("a")
    moto_stage.convert("b")
    moto_stage.tables.prepare(table_of(name))
    others = {each: {f"{each}-2"} if each != name else set() for each in ALL}
    assert found() == others
    moto_stage.convert("c")
    assert found() == {each: ids | others[each] for each, ids in ALL.items()}
    assert_books_balance()


class DroppingTables(IcebergTables):
    """Tables of which one is dropped behind the first commit."""

    def append(self, table: str, run_id: str, files: Sequence[str], table_id: str = "") -> None:
        super().append(table, run_id, files, table_id)
        self.drop(table_of(OTHER))


def test_once_another_table_has_the_run_it_waits_for_the_table(moto_stage: MotoStage) -> None:
    """Or the rows of that other one would come twice."""
    planned(moto_stage)
    plan, dropping = moto_stage.read_plan(moto_stage.plan("a")), DroppingTables(runtime.glue(), DATABASE, LAKE)
    with pytest.raises(NoSuchTableError):
        commit(plan, moto_stage.lake, dropping, moto_stage.runs)
    for execution in "ab":
        with pytest.raises(PartlyCommittedError, match=f"is committed to {FIRST}.*{OTHER}"):
            moto_stage.convert(execution)
    moto_stage.tables.prepare(table_of(OTHER))
    moto_stage.convert("c")
    assert found() == ALL
    assert_books_balance()


def test_files_of_a_table_of_before_are_refused_by_the_new_one(moto_stage: MotoStage) -> None:
    planned(moto_stage)
    moto_stage.tables.drop(table_of(OTHER))
    moto_stage.tables.prepare(table_of(OTHER))
    with pytest.raises(CommitError, match=f"{OTHER} was created anew"):
        moto_stage.commit(moto_stage.plan("a"))
