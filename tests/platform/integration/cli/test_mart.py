"""`sluice mart` on a real PostgreSQL behind DSQL's rules."""

import csv
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cli.platform.session import Deployment
from sluice.mart.model import READER, SCHEMA, Migration, Role
from sluice.mart.roles_postgres import grant
from tests.support.cli_environment import sluice, sluice_json
from tests.support.mart_server import MartServer, drop

SHOWN = Migration(
    "1",
    "CREATE TABLE IF NOT EXISTS plays_by_load (id bigint PRIMARY KEY, name text, at timestamp, day date, n integer);\n"
    "CREATE OR REPLACE VIEW plays AS SELECT * FROM plays_by_load;\n",
)
TEXT = 'a, "b"\nand\tü'


@pytest.fixture(autouse=True)
def mart(stage: Deployment, mart_servers: tuple[Path, int]) -> Iterator[MartServer]:
    server = MartServer(*mart_servers, schema=SCHEMA)
    server.migrate([SHOWN])
    writer = server.mart()
    writer.execute("INSERT INTO plays_by_load VALUES (1, %s, '2026-11-30 12:00', '2026-11-30', 7)", [TEXT])
    writer.execute("INSERT INTO plays_by_load VALUES (2, '', NULL, NULL, NULL), (3, NULL, NULL, NULL, NULL)")
    role = "arn:aws:iam::123456789012:role/reader"
    grant(writer, [Role(READER, role, frozenset({("SELECT", "plays")}))])
    stage.outputs.update(MartReaderRole=role, MartEndpoint=f"localhost:{server.port}")
    yield server
    drop(server)


def test_query_prints_rows_and_types() -> None:
    printed = sluice("mart", "query", "select id, name from plays order by id").stdout
    assert "null" in printed
    assert sluice_json("mart", "query", "select *, sum(n) over () as all_n, 1.5 as x from plays where id = 1") == [
        {"id": 1, "name": TEXT, "at": "2026-11-30T12:00:00", "day": "2026-11-30", "n": 7, "all_n": 7, "x": 1.5}
    ]


def test_query_only_reads() -> None:
    for writing in ("delete from plays_by_load", "select 1; drop table plays_by_load", "create table t (id bigint)"):
        assert "error" in sluice_json("mart", "query", writing, code=1)
    # What looks like a question is asked in a transaction that only reads, by a role that sees the views only.
    assert "read-only" in sluice_json("mart", "query", "select lo_create(0)", code=1)["error"]
    assert "permission denied" in sluice_json("mart", "query", "select * from plays_by_load", code=1)["error"]


def test_a_stage_without_a_mart_says_so(stage: Deployment) -> None:
    del stage.outputs["MartReaderRole"]
    assert "has no mart" in sluice_json("mart", "query", "select 1", code=1)["error"]


def test_export_writes_every_view(tmp_path: Path) -> None:
    assert sluice_json("mart", "export", "--to", tmp_path / "new") == {"plays.csv": 3}
    with (tmp_path / "new" / "plays.csv").open(newline="") as file:
        text = file.read()
    assert list(csv.reader(text.splitlines(keepends=True)))[1] == [
        "1",
        TEXT,
        "2026-11-30 12:00:00.000000",
        "2026-11-30",
        "7",
    ]
    assert text.splitlines()[-2:] == ['2,"",,,', "3,,,,"]
    sluice("mart", "export", "--format", "parquet", "--to", tmp_path)
    table = pq.read_table(tmp_path / "plays.parquet")
    assert [str(field.type) for field in table.schema] == ["int64", "string", "timestamp[us]", "date32[day]", "int32"]
    assert table["name"].to_pylist() == [TEXT, "", None]
    assert not list(tmp_path.rglob("*.unfinished"))


def test_psql_is_opened_with_a_token_of_the_reader() -> None:
    command = sluice("mart", "psql", "--print").stdout.strip()
    environment = {"PATH": os.environ["PATH"]}
    asked = f"{command} -Atc 'select current_user, count(*) from mart.plays'"
    done = subprocess.run(["/bin/sh", "-c", asked], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout == "reader|3\n", done.stderr
