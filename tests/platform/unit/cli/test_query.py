"""`sluice query`: the statements it runs, and the types it gives to Athena's text."""

from typing import Any

import duckdb
import orjson
import pytest

from cli.platform.console import CliError
from cli.platform.query import run_query, typed
from cli.platform.session import Deployment
from cli.platform.sql import assert_reads, nested_as_json
from tests.support.cli_environment import connect_commands, deployment, sluice, sluice_json


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "-- all of them\nselect 1",
        "/* why\n */ with t as (select 1) select * from t",
        "(select 1) union (select 2)",
        "show tables",
        """select "update", t."delete", t.copy, 'insert into t' from t -- delete""",
        "describe microone_event",
        "explain analyze select 1",
        "select ';' -- ;\n;",
    ],
)
def test_statements_that_read_are_run(sql: str) -> None:
    assert_reads(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "drop table t",
        "-- select\ndelete from t",
        "selected",
        "copy (select 1) to '/tmp/x'",
        "explain analyze insert into t select 1",
        "with x as (select 1) insert into t select * from x",
        "with x as (delete from t returning *) select * from x",
        "with recursive x as (select 1) update t set a = 1",
        "(select 1 into t)",
    ],
)
def test_statements_that_write_are_refused(sql: str) -> None:
    with pytest.raises(CliError, match="only reads"):
        assert_reads(sql)


@pytest.mark.parametrize("sql", ["select 1; drop table t", "select ';' -- ;\n;;drop table t"])
def test_a_second_statement_is_refused(sql: str) -> None:
    with pytest.raises(CliError, match="second one"):
        assert_reads(sql)


@pytest.mark.parametrize("sql", ["", "-- nothing", "/* nothing */", " ; "])
def test_no_statement_is_refused(sql: str) -> None:
    with pytest.raises(CliError, match="no SQL"):
        assert_reads(sql)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("9223372036854775807", "bigint", 2**63 - 1),
        ("1.5", "double", 1.5),
        ("1.0E10", "double", 1e10),
        ("NaN", "double", "NaN"),
        ("-Infinity", "real", "-Infinity"),
        ("12.30", "decimal(10,2)", 12.3),
        ("true", "boolean", True),
        ("false", "boolean", False),
        ("", "varchar", ""),
        ('{"a":[1,null]}', "nested", {"a": [1, None]}),
        ('["a","b"]', "json", '["a","b"]'),
        ("2024-05-14 10:00:00.000", "timestamp", "2024-05-14 10:00:00.000"),
    ],
)
def test_values_get_the_type_of_their_column(text: str, kind: str, value: object) -> None:
    found = typed(text, kind)
    assert found == value
    assert type(found) is type(value)


EVENTS = {"event": {"id": "bigint", "payload": "struct<text:string,tags:array<string>>", "kinds": "array<string>"}}


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select * from event order by id", [[1, {"text": 'a, "b" = {c', "tags": []}, ["x"]], [2, None, None]]),
        ("select payload.tags, id from event e where e.id = 1", [[[], 1]]),
        ('with t as (select kinds k from event) select k as "K" from t order by k limit 1', [[["x"]]]),
        ("(select kinds from event where id = 1) union all select array['y'] limit 2", [[["x"]], [["y"]]]),
        ("select array_agg(id) from event group by true", [[[1, 2]]]),
    ],
)
def test_nested_values_come_as_json_whatever_other_tables_there_are(sql: str, rows: list[list[Any]]) -> None:
    engine = duckdb.connect()
    engine.execute(
        "create table event as select 1 as id, {'text': 'a, \"b\" = {c', 'tags': []::varchar[]} as payload, "
        "['x'] as kinds union all select 2, null, null"
    )
    text, nested = nested_as_json(sql, {"bare": {}, "odd": {"a": "no<x>y"}, **EVENTS})
    assert nested
    found = engine.execute(text)
    names = [column[0] for column in found.description]
    assert [
        [orjson.loads(value) if name in nested and value else value for name, value in zip(names, row, strict=True)]
        for row in found.fetchall()
    ] == rows


@pytest.mark.parametrize("sql", ["select id, count(*) from event group by 1", "select id from", "show tables"])
def test_other_statements_are_run_as_written(sql: str) -> None:
    assert nested_as_json(sql, EVENTS) == (sql, frozenset())


class Catalog:
    """Lists the tables."""

    def paginate(self, **_: str) -> Any:
        columns = [{"Name": name, "Type": kind} for name, kind in EVENTS["event"].items()]
        yield {"TableMetadataList": [{"Name": "event", "Columns": columns}]}


class Athena:
    """A client that answers with given pages."""

    def __init__(self, pages: list[list[list[str | None]]], columns: list[tuple[str, str]], **status: str) -> None:
        self.pages, self.columns, self.status = pages, columns, status or {"State": "SUCCEEDED"}
        self.started: dict[str, Any] = {}
        self.stopped: list[str] = []

    def start_query_execution(self, **request: Any) -> dict[str, str]:
        self.started = request
        return {"QueryExecutionId": "q"}

    def stop_query_execution(self, QueryExecutionId: str) -> None:  # noqa: N803
        self.stopped.append(QueryExecutionId)

    def get_query_execution(self, **_: str) -> dict[str, Any]:
        return {"QueryExecution": {"Status": self.status}}

    def get_paginator(self, operation: str) -> "Athena | Catalog":
        return Catalog() if operation == "list_table_metadata" else self

    def paginate(self, **_: str) -> Any:
        info = [{"Name": name, "Type": kind} for name, kind in self.columns]
        for page in self.pages:
            rows = [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in page]
            yield {"ResultSet": {"Rows": rows, "ResultSetMetadata": {"ColumnInfo": info}}}


def stage(client: Athena) -> Deployment:
    return deployment(athena=client, outputs={"Workgroup": "sluice-x", "Database": "sluice_x"})


COLUMNS = [("name", "varchar"), ("n", "bigint")]


def test_the_header_row_is_dropped_once_and_nulls_stay_nulls() -> None:
    client = Athena([[["name", "n"], ["a", "1"]], [["name", None], [None, "2"]]], COLUMNS)
    result = run_query(stage(client), "select 1")
    assert result.columns == ["name", "n"]
    assert list(result.rows) == [["a", 1], ["name", None], [None, 2]]
    assert client.started["WorkGroup"] == "sluice-x"
    assert client.started["QueryExecutionContext"] == {"Database": "sluice_x"}


def test_a_statement_without_header_keeps_its_first_row() -> None:
    client = Athena([[["t1"], ["t2"]]], [("tab_name", "string")])
    assert list(run_query(stage(client), "show tables").rows) == [["t1"], ["t2"]]


def test_a_statement_without_rows_gives_none() -> None:
    assert list(run_query(stage(Athena([[]], [])), "drop table x").rows) == []


def test_the_error_of_a_failed_query_holds_athenas_reason() -> None:
    client = Athena([], [], State="FAILED", StateChangeReason="COLUMN_NOT_FOUND: line 1:8: nope")
    with pytest.raises(CliError, match="COLUMN_NOT_FOUND"):
        run_query(stage(client), "select nope")


def test_a_query_that_takes_too_long_is_stopped() -> None:
    """Athena would go on, and charge for what it scans."""
    client = Athena([], [], State="RUNNING")
    with pytest.raises(CliError, match=r"stopped after 0 s"):
        run_query(stage(client), "select 1", timeout=0)
    assert client.stopped == ["q"]


def test_columns_of_the_same_name_are_numbered() -> None:
    client = Athena([[["id", "id"], ["a", "b"]]], [("id", "varchar"), ("id", "varchar")])
    result = run_query(stage(client), "select a.id, b.id from a, b")
    assert [dict(zip(result.columns, row, strict=True)) for row in result.rows] == [{"id": "a", "id_2": "b"}]


def test_nested_values_of_a_query_are_json_in_both_of_its_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Athena([[["id", "kinds"], ["1", '["x"]']]], [("id", "bigint"), ("kinds", "varchar")])
    connect_commands(stage(client), monkeypatch)
    assert sluice_json("query", "select id, kinds from event") == [{"id": 1, "kinds": ["x"]}]
    assert 'CAST("event"."kinds" AS JSON)' in client.started["QueryString"]
    assert '["x"]' in sluice("query", "select id, kinds from event").stdout
