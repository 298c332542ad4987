"""The tables' part of `sluice doctor`: the table RUNS against the records of runs."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from cli.platform.console import plural
from cli.platform.registry import Finding
from cli.platform.runs import records_of
from cli.platform.session import Deployment
from sluice.lake.derived_tables_iceberg import DerivedTables
from sluice.runs.publishing import publish_runs
from sluice.runs.records import RUN_RECORDS_PREFIX, record_of_key, start_of
from sluice.runs.runs_table import RUNS

_ON_ITS_WAY = timedelta(minutes=30)  # from a record to its row, other attempts included


def find_unlike_records(deployment: Deployment, looked_at: Callable[[], None]) -> Iterator[Finding]:
    """Yield the days whose rows are fewer or more than the records of runs."""
    records = records_of(deployment)
    tables = DerivedTables(
        deployment.glue, deployment.output("Database"), deployment.output("LakeBucket"), deployment.s3
    )
    rows = tables.rows(RUNS) if RUNS in tables.names() else {}  # before the records: each row's is there then
    written, newest = Counter[tuple[int, ...]](), dict[tuple[int, ...], tuple[datetime, str]]()
    for each in records.lake.list(RUN_RECORDS_PREFIX):
        looked_at()
        record = record_of_key(each.key)
        start = start_of(record)
        day: tuple[int, ...] = (start.year, start.month, start.day)
        written[day] += 1
        newest[day] = max(newest.get(day, (each.modified, record)), (each.modified, record))
    now = datetime.now(UTC)
    for day in sorted(written.keys() | rows.keys()):
        has, should = rows.get(day, 0), written[day]
        if has > should:
            yield Finding(
                kind="records gone",
                place=f"{RUNS} {_text(day)}",
                message=f"{plural(has, 'row')}, {plural(should, 'record')}",
                advice=f"Restore the objects under {RUN_RECORDS_PREFIX}: the day's next run takes their rows away.",
            )
        elif has < should and now - newest[day][0] > _ON_ITS_WAY:
            yield Finding(
                kind="rows missing",
                place=f"{RUNS} {_text(day)}",
                message=f"{plural(has, 'row')}, {plural(should, 'record')}",
                advice="Say --repair: the day is made anew of its records.",
                repair=partial(publish_runs, records, tables, [newest[day][1]]),
            )


def _text(day: tuple[int, ...]) -> str:
    return "-".join(f"{part:02}" for part in day)
