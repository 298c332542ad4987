"""Trino, the engine of Athena, reads what the product commits, and runs the SQL that the product shows and sends."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.demo.questions import QUESTIONS, row_counts_sql
from cli.platform.local_cloud import require
from cli.platform.query import _column_types, run_query
from cli.platform.sql import as_of, assert_reads, literal, nested_as_json
from tests.referees.commits import as_json, commits, convert, in_order, rows_of, tables_of
from tests.referees.trino.engine import TRINO
from tests.referees.trino.server import Trino, running
from tests.support.local.deployed_cloud import Cloud

pytestmark = pytest.mark.referee("Trino")

_ROOT = Path(__file__).parents[3]
_SHOWN = re.compile(r'sluice query (?:--as-of \S+ )?\\?"(.+?)\\?"|(?<!mart query )[`"](select .+? from .+?)[`"]')


@pytest.fixture(scope="module")
def trino(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trino]:
    TRINO.or_skip()
    with running(require(), cloud.output("Database"), tmp_path_factory.mktemp("trino")) as server:
        yield server


def test_it_reads_every_table_after_every_kind_of_commit(cloud: Cloud, trino: Trino, tmp_path: Path) -> None:
    for commit in commits(cloud, tmp_path, seed=100):
        for table, columns in tables_of(cloud).items():
            listed = ", ".join(f'"{name}"' for name in columns)
            found = trino.query(f"select {listed} from {table}")
            expected = [list(map(as_json, row)) for row in rows_of(cloud, table, columns)]
            assert in_order(found) == in_order(expected), f"{table} after {commit}"


def shown_queries() -> list[str]:
    """Return every query of README, docs, and the help and examples of commands."""
    pages = [_ROOT / "README.md", *(_ROOT / "docs").glob("*.md"), *(_ROOT / "cli").rglob("*.py")]
    found = {
        sql
        for page in pages
        for shown in _SHOWN.findall(page.read_text())
        for sql in shown
        if sql and not re.search(r"[{(\[]?\?|[{]|lake\.", sql)
    }
    return sorted(found)


_QUERIES = [*shown_queries(), *QUESTIONS.values(), row_counts_sql(["MICROONE_EVENT", "MICROTWO_PRED"])]


@pytest.mark.parametrize("sql", _QUERIES)
def test_it_answers_what_we_show_as_the_local_cloud_does(cloud: Cloud, trino: Trino, sql: str) -> None:
    assert_reads(sql)
    _agree(cloud, trino, sql)


def test_it_reads_tables_as_they_were(cloud: Cloud, trino: Trino, tmp_path: Path) -> None:
    convert(cloud, tmp_path, seed=105)
    tables = _column_types(cloud.deployment)
    for snapshot in cloud.run("table", "microone_event"):
        moment = datetime.fromisoformat(snapshot["committed_at"])
        for asked in (int(snapshot["snapshot_id"]), moment):
            found = _agree(cloud, trino, as_of("select count(*) as n from microone_event", asked, tables))
            assert isinstance(asked, datetime) or found == [[snapshot["rows"]]]


@pytest.mark.parametrize("key", ["it's one.json", 'a"b\\c', "line\nbreak\ttab", "\x00\x1b[31m", "größe/日本/😀", "%_"])
def test_it_takes_our_literals_for_what_they_are(trino: Trino, key: str) -> None:
    assert trino.query(f"select count(*), {literal(key)} from microone_event where _source_key = {literal(key)}") == [
        [0, key]
    ]


def test_the_product_goes_on_with_what_it_commits(cloud: Cloud, trino: Trino, tmp_path: Path) -> None:
    """As with Athena: what outgrows a function is for its OPTIMIZE, and people may delete rows, or add some.

    Deleted rows come last: they leave a file that the local cloud's Athena does not read.
    """
    convert(cloud, tmp_path, seed=110)
    count = "select count(*), count(distinct id) from microone_event"
    written = (
        "insert into microone_event select * from microone_event order by _source_key, _source_offset limit 5",
        "alter table microone_event execute optimize",
        "delete from microone_event where id = (select min(id) from microone_event)",
    )
    for number, statement in enumerate(written):
        trino.query(statement)
        ((before, _),) = trino.query(count)
        convert(cloud, tmp_path, seed=111 + number)
        ((after, distinct),) = trino.query(count)
        added = cloud.run("table", "microone_event")[0]
        assert after == before + added["rows_added"] > before
        cloud.run("compact")
        assert trino.query(count) == [[after, distinct]], f"compaction, after {statement}"


def _agree(cloud: Cloud, trino: Trino, sql: str) -> list[list[Any]]:
    """Ask Trino and the local cloud what `sluice query` sends; return the rows, which are the same."""
    sent, json_columns = nested_as_json(sql, _column_types(cloud.deployment))
    here = run_query(cloud.deployment, sent, json_columns)
    names, found = trino.result(sent)
    nested = [name in json_columns for name in names]
    there = [[_shown(value, each) for value, each in zip(row, nested, strict=True)] for row in found]
    assert names == here.columns
    assert in_order(there) == in_order(list(here.rows))
    return there


def _shown(value: Any, is_nested: bool) -> Any:
    """Return a value of Trino as `sluice query` gives it: the local cloud writes times in milliseconds."""
    if is_nested and value is not None:
        return orjson.loads(value)
    return re.sub(r"(:\d\d\.\d{3})000$", r"\1", value) if isinstance(value, str) else value
