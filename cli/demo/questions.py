"""Questions a data scientist asks of the tables, in SQL that Athena and the local cloud both understand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from cli.demo.producers import FOLDER
from cli.event_files.file_generation import STREAM
from cli.platform.session import Deployment
from cli.vendor_exports.slots import environment_of


@dataclass(frozen=True, slots=True)
class Question:
    """A question in words and in SQL."""

    words: str
    sql: str


QUESTIONS = (
    Question(
        "What do people do with the illustrations they are offered?",
        """select event_type, reporter, count(*) as events
from microthree_event group by 1, 2 order by 3 desc, 1, 2""",
    ),
    Question(
        "How many proposed headlines were published, by version of the model?",
        """select p.service_version.model as model, count(*) as proposed, count(e.prediction_id) as published
from microtwo_pred p
left join (select distinct prediction_id from microtwo_event) e on e.prediction_id = p.id
group by 1 order by 2 desc, 1 limit 5""",
    ),
    Question(
        "Which search terms does the model come up with most?",
        """select term, count(*) as predictions
from microthree_pred cross join unnest(search_terms) as t(term)
group by 1 order by 2 desc, 1 limit 5""",
    ),
    Question(
        "How much came in per hour? (Partitions: only the hours asked for are read.)",
        """select month, day, hour, count(*) as events
from microone_event where year = 2024 and month = 5 group by 1, 2, 3 order by 1, 2, 3""",
    ),
    Question(
        "How good is what each service delivers?",
        """select service_name, service_type, count(*) as events, sum(case when passed then 0 else 1 end) as dirty
from profiling_log group by 1, 2 order by 1, 2""",
    ),
    Question(
        "Where does a row come from? (The file and the byte its event begins at.)",
        'select id, "_source_key", "_source_offset" from microone_event order by 1 limit 3',
    ),
)


def row_counts_sql(tables: Iterable[str]) -> str:
    """SQL that counts the rows that came of the demo's files, by table."""
    counts = [
        f"""select '{table}' as "table", count(*) as "rows" from {table.lower()} where "_source_key" like '{STREAM}%'"""  # noqa: S608
        for table in sorted(tables)
    ]
    return " union all ".join(counts)


REPORT = FOLDER.parent / "export-report.html"
"""Where the demo writes the report on the exports."""

_COMMANDS = (
    ("sluice status", "what waits, what ran, what is dirty"),
    ("sluice tables", "every table; with a name: its columns"),
    ('sluice query "select * from profiling_log where not passed" --rows 5', "why events are dirty"),
    ("sluice ingest FILE…", "your own files"),
    ("sluice convert", "and into the tables"),
    ("sluice vendor", "a vendor to try exports with: `sluice export --vendor-url URL`"),
    ("sluice history report --open", "what became of every hour's export"),
    ("sluice local down", "stop everything"),
)


def summary(stage: Deployment) -> RenderableType:
    """What is where, and which commands to try."""
    places = _two_columns()
    for name, place in _places(stage):
        places.add_row(name, place)
    commands = _two_columns()
    for command, does in _COMMANDS:
        commands.add_row(f".venv/bin/{command}", f"[dim]{does}[/]")
    content = Group(places, "", "[bold]Try[/]", commands)
    return Panel(content, title="Where to look next", title_align="left", expand=False)


def _places(stage: Deployment) -> list[tuple[str, str]]:
    lake = stage.output("LakeBucket")
    return [
        ("endpoint", f"{stage.endpoint}  [dim]any AWS tool: AWS_ENDPOINT_URL, keys test/test, us-east-1[/]"),
        ("files", str(FOLDER)),
        ("source", f"s3://{stage.output('SourceBucket')}/"),
        ("dirty", f"s3://{lake}/data/dirty_json/"),
        ("tables", f"s3://{lake}/data/clean_parquet/"),
        ("runs", f"s3://{lake}/runs/"),
        ("exports", f"s3://{lake}/{environment_of(stage).hourly}"),
        ("report", str(REPORT)),
        ("catalog", f"database {stage.output('Database')}, workgroup {stage.output('Workgroup')}"),
    ]


def _two_columns() -> Table:
    return Table(box=None, show_header=False, pad_edge=False, padding=(0, 3, 0, 0))
