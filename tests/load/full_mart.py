"""A day of an application loaded into the mart: what it takes, in time and memory. Not part of `make test`.

    .venv/bin/python -m tests.load.full_mart --users 1000000 --tracks 1000000 --listens 20000000 --workers 2

The server is the tests' own PostgreSQL, with DSQL's rules before it (--plain: without). Parts are loaded by processes,
as by functions.
"""

import asyncio
import resource
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import typer
from typer import echo

from cli.emulator.dsql import make_database, serving
from cli.emulator.postgres import Postgres
from sluice.api_pull.mart.loads_postgres import begin, load_part, publish, sweep, visible_rows
from sluice.api_pull.mart.part_rows import read_rows
from sluice.api_pull.mart.tables import LISTENS, TABLES, TRACKS, USERS, Part, cut_files, migrations
from tests.support.mart_server import MartServer, admit

FILE_ROWS = 400_000
AT = np.datetime64("2026-11-30T12:00:00", "us")


def main(
    users: int = 20_000,
    tracks: int = 20_000,
    listens: int = 400_000,
    workers: int = 2,
    days: int = 2,
    *,
    plain: bool = False,
) -> None:
    """Load days, each in the place of the one before, which is deleted."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(Postgres(Path(tempfile.mkdtemp(prefix="sluice-load-"))))
        asyncio.run(make_database(postgres.socket, "localhost"))
        port = None if plain else stack.enter_context(serving(0, postgres.socket, admit))
        server = MartServer(postgres.socket, port, schema="mart")
        server.migrate(migrations())
        files = {
            endpoint: list(_files(folder, endpoint, rows, users, tracks))
            for endpoint, rows in ((TRACKS, tracks), (USERS, users), (LISTENS, listens))
        }
        pool = stack.enter_context(ProcessPoolExecutor(workers))
        for day in (f"day {number:02}" for number in range(1, days + 1)):
            for endpoint, of_endpoint in files.items():
                _load(pool, server, day, endpoint, of_endpoint)
            _timed(f"{day}: published", lambda run=day: publish(server.mart(), run))
            echo(f"visible: {visible_rows(server.mart())}")
            _timed(f"{day}: swept", lambda: sweep(server.mart(), lambda: True))
        echo(f"most memory of a worker: {max(pool.map(_memory, range(workers)))} MB")


def _load(pool: ProcessPoolExecutor, server: MartServer, day: str, endpoint: str, files: list[tuple[str, int]]) -> None:
    cuts = cut_files(files)
    load = begin(server.mart(), day, date(2026, 11, 30), endpoint, len(cuts))
    parts = [Part(day, load, endpoint, number, *cut) for number, cut in enumerate(cuts)]
    started = time.monotonic()
    rows = sum(pool.map(partial(_load_part, server.socket, server.port), parts))
    seconds = time.monotonic() - started
    echo(f"{day}: {rows:,} rows of {endpoint} in {len(parts)} parts: {seconds:,.0f} s, {rows / seconds:,.0f} a second")


def _load_part(socket: Path, port: int | None, part: Part) -> int:
    mart = MartServer(socket, port, schema="mart").mart()
    rows = read_rows(Path(part.key).read_bytes(), part, [*TABLES[part.endpoint].columns])
    loaded = load_part(mart, part.load, part.part, part.endpoint, rows)
    mart.close()
    return loaded.rows


def _memory(_: int) -> int:
    time.sleep(0.2)  # so that each worker is asked
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _timed(what: str, work: object) -> None:
    started = time.monotonic()
    assert callable(work)
    work()
    echo(f"{what}: {time.monotonic() - started:,.1f} s")


def _files(folder: Path, endpoint: str, rows: int, users: int, tracks: int) -> Iterator[tuple[str, int]]:
    for first in range(0, rows, FILE_ROWS):
        count = min(FILE_ROWS, rows - first)
        path = folder / f"{endpoint}-{first}.parquet"
        pq.write_table(_table(endpoint, np.arange(first, first + count), users, tracks), path)
        yield str(path), count


def _table(endpoint: str, numbers: np.ndarray, users: int, tracks: int) -> pa.Table:
    times = pa.array(AT + (numbers % 86_400).astype("timedelta64[s]"))
    columns = {"created_at": times, "updated_at": times}
    if endpoint == LISTENS:
        ids = {
            "user_id": numbers % users + 1,
            "position": numbers // users + 1,
            "track_id": numbers * 7919 % tracks + 1,
        }
        return pa.table({**{name: pa.array(values) for name, values in ids.items()}, **columns})
    texts = {
        name: pa.array([f"{name} of {number}" for number in numbers])
        for name, kind in TABLES[endpoint].columns.items()
        if kind == "text"
    }
    return pa.table({"id": pa.array(numbers + 1), **texts, **columns})


if __name__ == "__main__":
    typer.run(main)
