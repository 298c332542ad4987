"""`sluice table` and `sluice query --as-of`, against the local cloud: snapshots, and the way back to one."""

from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from sluice.lake.tables_iceberg import CommitError, IncompatibleTableError
from tests.support.cli_environment import connect_commands, sluice, sluice_json
from tests.support.local.emulated_lake import DATABASE, EmulatedLake


@pytest.fixture
def lake(emulated_lake: EmulatedLake, monkeypatch: pytest.MonkeyPatch) -> EmulatedLake:
    connect_commands(emulated_lake.deployment, monkeypatch)
    return emulated_lake


def filled(lake: EmulatedLake, name: str) -> list[dict[str, Any]]:
    """A table with two runs, of one row and of two; its snapshots, the newest first."""
    lake.prepare(name, id="string", tags="array<string>")
    lake.append(name, [{"id": "a", "tags": ["x"]}])
    lake.append(name, [{"id": "b"}, {"id": "c"}])
    found: list[dict[str, Any]] = sluice_json("table", name.lower())
    return found


def ids(name: str, *options: str) -> list[str]:
    return [row["id"] for row in sluice_json("query", f"select id from {name} order by 1", *options)]


def test_snapshots_say_what_each_run_added(lake: EmulatedLake) -> None:
    newer, older = filled(lake, "Shown")
    assert newer["parent_id"] == older["snapshot_id"]
    assert [(each["rows_added"], each["rows"], each["files"]) for each in (newer, older)] == [(2, 3, 2), (1, 1, 1)]
    assert (newer["is_current"], older["is_current"]) == (True, False)
    assert older["run_id"].startswith("run-")
    assert older["operation"] == "append"
    printed = sluice("table", "Shown").stdout
    assert f"{newer['snapshot_id']} ← current" in printed
    assert older["run_id"] in printed


def test_a_roll_back_is_seen_by_readers_and_can_be_undone(lake: EmulatedLake) -> None:
    newer, older = filled(lake, "Rolled")
    asked = sluice("table", "rolled", "--rollback", older["snapshot_id"], code=1)
    assert "no terminal" in asked.stderr
    assert ids("rolled") == ["a", "b", "c"], "nothing is done unasked"

    done = sluice("table", "rolled", "--rollback", older["snapshot_id"], "--yes")
    assert f"Not in it any more: run {newer['run_id']}, +2 rows." in done.stderr
    undo = f"sluice table rolled --rollback {newer['snapshot_id']}"
    assert undo in done.stderr
    assert ids("rolled") == ["a"]
    lake.tables.append("Rolled", newer["run_id"], ["data/clean_parquet/Rolled.parquet/late"])
    assert ids("rolled") == ["a"], "a late twin of the run adds nothing"

    again = sluice(*undo.split()[1:], "--yes")
    assert f"In it again: run {newer['run_id']}, +2 rows." in again.stderr
    assert ids("rolled") == ["a", "b", "c"]


def test_a_table_that_changed_after_it_was_looked_at_is_not_rolled_back(lake: EmulatedLake) -> None:
    newer, older = (int(each["snapshot_id"]) for each in filled(lake, "Moved"))
    lake.append("Moved", [{"id": "d"}])
    with pytest.raises(CommitError, match="changed meanwhile"):
        lake.tables.roll_back("Moved", older, newer)
    assert ids("moved") == ["a", "b", "c", "d"]


def test_a_commit_that_comes_between_wins(lake: EmulatedLake) -> None:
    newer, older = (int(each["snapshot_id"]) for each in filled(lake, "Raced"))
    tables, late = lake.tables, [{"id": "d"}]
    events = lake.deployment.glue.meta.events

    def commit(**_: object) -> None:
        events.unregister("before-call.glue.UpdateTable", commit)
        lake.append("Raced", late)

    events.register("before-call.glue.UpdateTable", commit)
    with pytest.raises(CommitError, match="changed meanwhile"):
        tables.roll_back("Raced", older, newer)
    assert ids("raced") == ["a", "b", "c", "d"]


def test_a_roll_back_whose_answer_is_lost_is_done(lake: EmulatedLake) -> None:
    newer, older = (int(each["snapshot_id"]) for each in filled(lake, "Unheard"))
    events = lake.deployment.glue.meta.events

    def lose(**_: object) -> None:
        events.unregister("after-call.glue.UpdateTable", lose)
        raise ConnectionClosedError(endpoint_url="glue")

    events.register("after-call.glue.UpdateTable", lose)
    lake.tables.roll_back("Unheard", older, newer)
    assert ids("unheard") == ["a"]


def test_what_cannot_be_rolled_back_says_why(lake: EmulatedLake) -> None:
    newer, _ = filled(lake, "Kept")
    assert "no table none" in sluice("table", "none", code=1).stderr
    assert "no snapshot 17" in sluice("table", "kept", "--rollback", "17", "--yes", code=1).stderr
    already = sluice("table", "kept", "--rollback", newer["snapshot_id"], "--yes", code=1).stderr
    assert "already" in already
    lake.deployment.glue.create_table(DatabaseName=DATABASE, TableInput={"Name": "files", "Parameters": {"a": "b"}})
    assert "files of its folder" in sluice("table", "files", code=1).stderr
    with pytest.raises(IncompatibleTableError, match="no Iceberg table"):
        lake.prepare("Files", id="string")
    lake.prepare("Fresh", id="string")
    assert "no snapshots yet" in sluice("table", "fresh").stderr
    assert sluice_json("table", "fresh") == []


def test_queries_read_tables_as_they_were(lake: EmulatedLake) -> None:
    newer, older = filled(lake, "Past")
    filled(lake, "Other")
    assert ids("past", "--as-of", older["snapshot_id"]) == ["a"]
    assert ids("past", "--as-of", newer["committed_at"]) == ["a", "b", "c"]
    assert ids("past", "--as-of", older["committed_at"].removesuffix("+00:00")) == ["a"]
    (row,) = sluice_json("query", "select * from past", "--as-of", older["snapshot_id"])
    assert row["tags"] == ["x"]
    joined = "with past as (select * from past) select count(*) as n from past p join past q on p.id = q.id"
    assert sluice_json("query", joined, "--as-of", older["snapshot_id"]) == [{"n": 1}]
    both = sluice("query", "select * from past, other", "--as-of", older["snapshot_id"], code=1).stderr
    assert "reads other, past" in both
    assert "No version history" in sluice("query", "select * from past", "--as-of", "2020-01-01", code=1).stderr
    assert "neither a snapshot nor a time" in sluice("query", "select 1", "--as-of", "yesterday", code=1).stderr
    assert "no table of the catalog" in sluice("query", "select 1", "--as-of", "2020-01-01", code=1).stderr
