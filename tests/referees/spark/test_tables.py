"""Spark, with Iceberg's own library, reads what the product commits; the product goes on with what Spark commits."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.platform.local_cloud import require
from tests.referees.commits import as_json, commits, convert, in_order, rows_of, tables_of
from tests.referees.spark.engine import SPARK
from tests.referees.spark.session import Spark, SparkError, running
from tests.support.local.deployed_cloud import Cloud

pytestmark = pytest.mark.referee("Spark")

_PAGE = Path(__file__).parents[3] / "docs" / "tables.md"


@pytest.fixture(scope="module")
def spark(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    SPARK.or_skip()
    with running(require(), cloud.output("Database"), tmp_path_factory.mktemp("spark")) as session:
        yield session


@pytest.fixture(scope="module")
def events(spark: Spark) -> str:
    return f"lake.{spark.database}.microone_event"


def test_it_reads_every_table_after_every_kind_of_commit(cloud: Cloud, spark: Spark, tmp_path: Path) -> None:
    for commit in commits(cloud, tmp_path, seed=200):
        for table in tables_of(cloud):
            _agrees(cloud, spark, table, commit)


def test_the_product_goes_on_with_what_it_commits(cloud: Cloud, spark: Spark, events: str, tmp_path: Path) -> None:
    convert(cloud, tmp_path, seed=210)
    appended = f"insert into {events} select * from {events} order by _source_key, _source_offset limit 5"
    deleted = f"delete from {events} where id = (select min(id) from {events})"
    rewritten = f"call lake.system.rewrite_data_files(table => '{events[5:]}', options => map('rewrite-all', 'true'))"
    for number, statement in enumerate((appended, deleted, rewritten)):
        spark.query(statement)
        before = _agrees(cloud, spark, "microone_event", statement)
        convert(cloud, tmp_path, seed=211 + number)
        after = _agrees(cloud, spark, "microone_event", f"Convert, after {statement}")
        assert after > before
        cloud.run("compact")
        assert _agrees(cloud, spark, "microone_event", f"compaction, after {statement}") == after


def test_what_we_show_runs_in_it(spark: Spark) -> None:
    shown = re.findall(r'^>>> spark\.sql\("(.+)"\)\.show\(\)$', _PAGE.read_text(), re.M)
    assert len(shown) == 2
    for sql in shown:
        assert spark.query(sql.replace("sluice_dev", spark.database))


def test_it_wants_names_of_tables_in_small_letters_and_takes_those_of_columns_in_any(spark: Spark, events: str) -> None:
    assert spark.query(f"select max(EVENT_TYPE) from {events}") == spark.query(f"select max(event_type) from {events}")
    with pytest.raises(SparkError, match="TABLE_OR_VIEW_NOT_FOUND"):
        spark.query(f"select 1 from {events.upper().replace('LAKE', 'lake')}")


def _agrees(cloud: Cloud, spark: Spark, table: str, commit: str) -> int:
    """Return how many rows Spark finds in a table, which are those of the table's own files."""
    columns = tables_of(cloud)[table]
    listed = ", ".join(f"`{name}`" for name in columns)
    found = spark.query(f"select {listed} from lake.{spark.database}.{table}")
    expected = [list(map(as_json, row)) for row in rows_of(cloud, table, columns)]
    assert in_order(found) == in_order(expected), f"{table} after {commit}"
    return len(found)
