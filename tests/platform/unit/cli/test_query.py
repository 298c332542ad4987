"""`sluice query` asks; it changes nothing."""

import pytest

from cli.platform.console import CliError
from cli.platform.query import assert_reads


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "  SELECT 1",
        "-- all of them\nselect 1",
        "/* why\n */ with t as (select 1) select * from t",
        "(select 1) union (select 2)",
        "values 1, 2",
        "show tables",
        "describe microone_event",
        "explain select 1",
    ],
)
def test_a_question_is_asked(sql: str) -> None:
    assert_reads(sql)


@pytest.mark.parametrize(
    "sql",
    ["drop table t", "insert into t values (1)", "-- select\ndelete from t", "create table t (a int)", "selected"],
)
def test_what_changes_something_is_refused(sql: str) -> None:
    with pytest.raises(CliError, match="only reads"):
        assert_reads(sql)


@pytest.mark.parametrize("sql", ["", "  \n", "-- nothing", "/* nothing */"])
def test_no_statement_is_refused(sql: str) -> None:
    with pytest.raises(CliError, match="no SQL"):
        assert_reads(sql)
