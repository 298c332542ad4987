"""The local cloud's Athena over Iceberg tables: each version of them, and results as Athena leaves them."""

import csv
import io
import re
import subprocess
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.manifest import DataFile, DataFileContent, FileFormat
from pyiceberg.typedef import Record

from cli.platform.console import CliError
from cli.platform.query import run_query
from cli.platform.sql import nested_as_json
from tests.support.local.emulated_lake import BUCKET, WORKGROUP, EmulatedLake
from tests.support.moto.aws_calls import AwsCalls


@pytest.fixture
def lake(emulated_lake: EmulatedLake) -> EmulatedLake:
    return emulated_lake


def rows(lake: EmulatedLake, sql: str) -> list[list[Any]]:
    return list(run_query(lake.deployment, sql).rows)


def now() -> str:
    time.sleep(0.002)  # snapshots have times in milliseconds
    return f"timestamp '{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f} UTC'"


def test_a_table_without_files_has_its_columns(lake: EmulatedLake) -> None:
    lake.prepare("Empty", id="string", tags="array<struct<score:double>>")
    found = run_query(lake.deployment, 'select * from "empty" e where e.year = 2024')
    assert (found.columns, list(found.rows)) == (["id", "tags", "year", "month", "day", "hour"], [])
    assert rows(lake, "select count(*) from empty") == [[0]]


def test_each_reference_reads_the_version_it_asks_for(lake: EmulatedLake) -> None:
    lake.prepare("Versions", id="string")
    first = lake.append("Versions", [{"id": "a"}])
    between = now()
    second = lake.append("Versions", [{"id": "b"}], {"year": 2024, "month": 5, "day": 14, "hour": 11})
    assert rows(lake, "select id from versions order by 1") == [["a"], ["b"]]
    assert rows(lake, f"select id from versions for version as of {first}") == [["a"]]
    assert rows(lake, f"select v.id from sluice_x.versions for timestamp as of {between} as v") == [["a"]]
    added = (
        f"select b.id from versions for version as of {second} b left join versions for version as of {first} a "
        "on a.id = b.id where a.id is null -- from versions for version as of 1"
    )
    assert rows(lake, added) == [["b"]], "two versions of one table in one query"
    later = "(current_timestamp + interval '1' day)"
    assert rows(lake, f"select max(hour), 'x for version as of 1' from versions for timestamp as of {later}") == [
        [11, "x for version as of 1"]
    ]
    lake.tables.roll_back("Versions", first, second)
    assert rows(lake, "select id from versions") == [["a"]]
    assert rows(lake, f"select count(*) from versions for version as of {second}") == [[2]], "it is still there"


def test_a_version_that_is_not_there_is_named(lake: EmulatedLake) -> None:
    lake.prepare("Young", id="string")
    lake.append("Young", [{"id": "a"}])
    with pytest.raises(CliError, match="snapshot ID does not exist"):
        rows(lake, "select * from young for version as of 17")
    with pytest.raises(CliError, match="No version history table at or before"):
        rows(lake, "select * from young for timestamp as of timestamp '2020-01-01 00:00:00 UTC'")


def test_columns_and_members_that_came_later_are_null_before_and_unknown_to_old_versions(lake: EmulatedLake) -> None:
    lake.prepare("Grown", id="int", tags="array<struct<score:double>>")
    before = lake.append("Grown", [{"id": 1, "tags": [{"score": 1.5}]}])
    lake.prepare("Grown", id="bigint", tags="array<struct<score:double,name:string>>", note="string")
    assert rows(lake, "select id, tags[1].score, tags[1].name, note from grown") == [[1, 1.5, None, None]]
    lake.append("Grown", [{"id": 2**40, "tags": [{"score": 2.0, "name": "x"}], "note": "n"}])
    assert rows(lake, "select id, tags[1].score, tags[1].name, note from grown order by 1") == [
        [1, 1.5, None, None],
        [2**40, 2.0, "x", "n"],
    ]
    old = run_query(lake.deployment, f"select * from grown for version as of {before}")
    assert old.columns == ["id", "tags", "year", "month", "day", "hour"]


def test_a_file_that_is_gone_fails_the_query_that_needs_it(lake: EmulatedLake) -> None:
    lake.prepare("Torn", id="string")
    before = lake.append("Torn", [{"id": "a"}])
    lake.append("Torn", [{"id": "b"}])
    assert len(rows(lake, "select * from torn")) == 2
    files = lake.deployment.s3.list_objects_v2(Bucket=BUCKET, Prefix="data/clean_parquet/Torn.parquet/year=")
    newest = max(files["Contents"], key=lambda each: each["LastModified"])["Key"]
    lake.deployment.s3.delete_object(Bucket=BUCKET, Key=newest)
    with pytest.raises(CliError, match=newest):
        rows(lake, "select * from torn")
    assert rows(lake, f"select id from torn for version as of {before}") == [["a"]]


def test_partitions_are_counted_without_a_file(lake: EmulatedLake) -> None:
    """20,000 hours, whose files are not even there: none is opened, none listed, here and by PyIceberg."""
    lake.prepare("Hours", id="string")
    table = lake.tables._load("Hours")
    with table.transaction() as change, change.update_snapshot().fast_append() as append:
        for number in range(20_000):
            append.append_data_file(
                _unwritten(table.location(), datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=number))
            )
    assert rows(lake, "select count(*) from hours") == [[40_000]]
    assert rows(lake, "select year, count(*) from hours where month = 2 group by 1 order by 1") == [
        [2024, 2 * 29 * 24],
        [2025, 2 * 28 * 24],
        [2026, 2 * 28 * 24],
    ]
    assert rows(lake, "select max(v.hour), count(*) from hours h right join versions v using (year, month, day, hour)")
    for needs_files in ("select count(id) from hours", "select count(*) from (select * from hours)"):
        with pytest.raises(CliError, match="does not exist"):
            rows(lake, needs_files)
    with AwsCalls((lake.deployment.glue, lake.deployment.s3)).record() as operations:
        assert lake.tables._load("Hours").scan().count() == 40_000
    assert Counter(operations) == {"GetTable": 1, "GetObject": 3}, "metadata, a list of manifests, a manifest"


def _unwritten(location: str, hour: datetime) -> DataFile:
    values = (hour.year, hour.month, hour.day, hour.hour)
    found = DataFile.from_args(
        content=DataFileContent.DATA,
        file_path=f"{location}/year={hour.year}/month={hour.month}/day={hour.day}/hour={hour.hour}/x.parquet",
        file_format=FileFormat.PARQUET,
        partition=Record(*values),
        record_count=2,
        file_size_in_bytes=1000,
    )
    found.spec_id = 0
    return found


def test_a_result_lies_where_athena_leaves_it_and_reads_as_athena_writes_it(lake: EmulatedLake) -> None:
    sql = """select 'a "b", c' as text, '' as empty, cast(null as varchar) as missing, true as yes, 1e10 as large,
        0.5e0 as half, timestamp '2024-05-14 10:00:00' as "when",
        array[cast(row(1.5e0, 'x') as row(score double, s varchar))] as rows, array[1, null] as list"""
    athena = lake.deployment.athena
    query = athena.start_query_execution(QueryString=sql, WorkGroup=WORKGROUP)["QueryExecutionId"]
    while (found := athena.get_query_execution(QueryExecutionId=query)["QueryExecution"])["Status"]["State"] in {
        "QUEUED",
        "RUNNING",
    }:
        time.sleep(0.05)
    assert found["ResultConfiguration"]["OutputLocation"] == f"s3://{BUCKET}/athena/{query}.csv", found["Status"]
    text = lake.deployment.s3.get_object(Bucket=BUCKET, Key=f"athena/{query}.csv")["Body"].read().decode()
    assert ',"",,"true","1.0E10","0.5","2024-05-14 10:00:00.000","[{score=1.5, s=x}]","[1, null]"\n' in text
    names, values = csv.reader(io.StringIO(text))
    result = athena.get_query_results(QueryExecutionId=query)["ResultSet"]
    assert names == [column["Name"] for column in result["ResultSetMetadata"]["ColumnInfo"]]
    assert values == [each.get("VarCharValue", "") for each in result["Rows"][1]["Data"]]
    assert [each["Type"] for each in result["ResultSetMetadata"]["ColumnInfo"]][-1] == "array"


def test_the_patch_for_the_emulators_maintainers_applies(tmp_path: Path) -> None:
    document = (Path(__file__).parents[3] / "docs" / "emulator-iceberg.md").read_text()
    (patch,) = re.findall(r"^```diff\n(.*?)^```", document, re.M | re.S)
    found = find_spec("ministack")
    assert found is not None
    assert found.origin is not None
    module = Path("ministack/services/athena.py")
    copy = tmp_path / module
    copy.parent.mkdir(parents=True)
    copy.write_bytes((Path(found.origin).parents[1] / module).read_bytes())
    subprocess.run(["git", "apply", "-"], input=patch, text=True, check=True, cwd=tmp_path)  # noqa: S607  # wherever it is
    compile(copy.read_text(), str(module), "exec")
    assert "_iceberg_relation" in copy.read_text()


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ("count(*), 1 as one, max(v.x), v.x", ["_col0", "one", "_col2", "x"]),
        ("r.a, cast(r.a as bigint), r", ["a", "_col1", "r"]),
        ("-x, *, x + 1", ["_col0", "x", "r", "_col3"]),
    ],
)
def test_columns_without_a_name_are_called_as_athena_calls_them(
    lake: EmulatedLake, items: str, names: list[str]
) -> None:
    source = "(select 1 as x, cast(row(2) as row(a integer)) as r) as v"
    grouped = " group by v.x" if "count" in items else ""
    once = f"select {items} from {source}{grouped}"
    assert run_query(lake.deployment, once).columns == names
    assert run_query(lake.deployment, f"{once} union all {once}").columns == names


def test_columns_without_a_name_keep_it_beside_nested_values(lake: EmulatedLake) -> None:
    lake.prepare("nested", tags="array<string>")
    sql, _ = nested_as_json("select tags, count(*) from nested group by 1", {"nested": {"tags": "array<string>"}})
    assert run_query(lake.deployment, sql).columns == ["tags", "_col1"]
