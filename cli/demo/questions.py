"""Questions that data scientists ask of the tables, in SQL that Athena and the local cloud both run."""

from collections.abc import Iterable

from cli.event_files.file_generation import STREAM

QUESTIONS = {
    "What do people do with the illustrations they are offered?": """
select event_type, reporter, count(*) as events
from microthree_event group by 1, 2 order by 3 desc, 1, 2""",
    "How many proposed headlines were published, by version of the model?": """
select p.service_version.model as model, count(*) as proposed, count(e.prediction_id) as published
from microtwo_pred p
left join (select distinct prediction_id from microtwo_event) e on e.prediction_id = p.id
group by 1 order by 2 desc, 1 limit 5""",
    "Which search terms does the model come up with most?": """
select term, count(*) as predictions
from microthree_pred cross join unnest(search_terms) as t(term)
group by 1 order by 2 desc, 1 limit 5""",
    "How much came in per hour? (Partitions: only the hours asked for are read.)": """
select month, day, hour, count(*) as events
from microone_event where year = 2024 and month = 5 group by 1, 2, 3 order by 1, 2, 3""",
    "How good is what each service delivers?": """
select service_name, service_type, count(*) as events, sum(case when passed then 0 else 1 end) as dirty
from profiling_log group by 1, 2 order by 1, 2""",
    "Where does a row come from? (The file and the byte its event begins at.)": """
select id, "_source_key", "_source_offset" from microone_event order by 1 limit 3""",
}
"""SQL by the question that it answers."""


LISTENED = """
select t.artist, count(*) as listens, count(distinct l.user_id) as users
from listens l join tracks t on t.id = l.track_id and t.snapshot_date = l.snapshot_date
where l.snapshot_date = date '{}' group by 1 order by 2 desc, 1 limit 5"""
"""SQL about a day's snapshot of the application."""


def row_counts_sql(tables: Iterable[str]) -> str:
    """Return SQL that counts the rows of the demo's files, by table."""
    counts = [
        f"""select '{table}' as "table", count(*) as "rows" from {table.lower()} where "_source_key" like '{STREAM}%'"""  # noqa: S608
        for table in sorted(tables)
    ]
    return " union all ".join(counts)
