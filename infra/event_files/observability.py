"""Saved queries, dashboard panels and alarms of event files, and what a person does about each alarm."""

from collections.abc import Sequence
from dataclasses import replace

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from infra.event_files.functions import EventFunctions
from infra.event_files.settings import EventFiles
from infra.platform.functions import PythonFunction
from infra.platform.machine import Machine
from infra.platform.observability.alarms import AT_ONCE, FOR_A_QUARTER, Advice, Alarms, Missing
from infra.platform.observability.cloudwatch import (
    QUARTER,
    combined,
    function_page,
    machine_page,
    of_queue,
    own,
    queues_page,
)
from infra.platform.observability.saved_queries import ERRORS, ONE_RUN, Query
from infra.platform.observability.settings import Observability
from infra.platform.observability.widgets import PERCENTILES, Panels, graph, heading, limit, table, value
from infra.platform.triggers import QueuedEvents
from infra.stage import Stage
from sluice.contracts.load import load_registry
from sluice.contracts.model import SYSTEM_TABLES
from sluice.event_files import metrics
from sluice.event_files.ledger.model import Reason
from sluice.event_files.pipeline import PIPELINE
from sluice.observability.metrics import Metric

# A line of the log is one member deep in Logs Insights' eyes: counts by reason are members by name.
# The source is the part of a key before its date: a folder, or the name of a stream.
_SOURCE = r"parse key /^(?<source>.*?)[\/-]?\d{4}[\/-]\d{2}[\/-]\d{2}[\/-]/"
_BY_REASON = ", ".join(f"sum(reasons.{reason}) as {reason}" for reason in Reason)

DIRTY_REASONS = Query(
    "dirty reasons by source",
    f'filter message = "file" and dirty > 0 | {_SOURCE}'
    f" | stats sum(dirty) as dirty_events, count(*) as files, {_BY_REASON} by source"
    " | sort dirty_events desc",
    "validate_files",
)
SLOWEST_FILES = Query(
    "slowest files",
    'filter message = "file" | fields @timestamp, key, seconds, bytes, events | sort seconds desc | limit 50',
    "validate_files",
)
DUPLICATES = Query(
    "duplicates skipped",
    'filter message = "object known already"'
    " | stats count(*) as announcements, latest(@timestamp) as last_seen by key"
    " | sort announcements desc | limit 100",
    "validate_files",
)
FRESHNESS = Query(
    "freshness by table",
    'filter message = "lag" | stats latest(newest_row_age) / 3600 as hours_behind by table | sort hours_behind desc',
    "probe_lag",
)
SAVED_QUERIES = (DIRTY_REASONS, SLOWEST_FILES, DUPLICATES, FRESHNESS)


def rows_by_table() -> Query:
    """Return the query of the rows that conversions wrote, a column for each table."""
    tables = [table.name for table in load_registry().tables() if table not in SYSTEM_TABLES]
    sums = ", ".join(f"sum(rows.{name}) as {name}" for name in tables)
    return Query("rows by table", f'filter message = "committed" | stats {sums} by bin(1h)', "commit_conversion")


def panels(stage: Stage, functions: Sequence[PythonFunction]) -> Panels:
    """Return what arrived, how much of it is clean and why not, how fresh the tables are, and how fast it went."""

    def shown(*names: Metric, statistic: str = "Sum") -> list[cloudwatch.Metric]:
        return [own(stage, metric, PIPELINE.name, statistic, QUARTER) for metric in names]

    (files, rows, failed) = shown(metrics.FILES_VALIDATED, metrics.ROWS_CONVERTED, metrics.FILES_FAILED)
    (pending,) = shown(metrics.PENDING_AGE, statistic="Maximum")
    (newest,) = shown(metrics.NEWEST_ROW_AGE, statistic="Minimum")
    events = shown(metrics.EVENTS_CLEAN, metrics.EVENTS_DIRTY, metrics.EVENTS_UNRELATED)
    threshold = limit(stage.settings(EventFiles).dirty_percent, "alarm")
    seconds = [metric.with_(label=p) for p in PERCENTILES for metric in shown(metrics.BATCH_SECONDS, statistic=p)]
    return Panels(
        business_figures=[
            value("Files", files),
            value("Clean, %", _percent("clean", stage)),
            value("Rows", rows),
            value("Waiting for conversion, s", pending, of_range=False),
            value("Newest row, s", newest, of_range=False),
        ],
        business=[
            [heading("Event files: what arrived, and how much of it is clean")],
            [
                graph("Files", [files, *shown(metrics.FILES_SKIPPED, metrics.FILES_DIRTY)]),
                graph("Events", events, stacked=True),
                graph("Dirty, % of events", [_percent("dirty", stage)], unit="%", lines=[threshold]),
            ],
            [
                table(DIRTY_REASONS, functions, width=16),
                graph(
                    "Unknown members, missing media, unread chunks",
                    shown(metrics.UNKNOWN_MEMBERS, metrics.MEDIA_MISSING, metrics.CHUNKS_LEFT_OUT),
                ),
            ],
            [heading("Event files: tables")],
            [table(FRESHNESS, functions, width=6), table(rows_by_table(), functions, width=18)],
        ],
        operations_figures=[value("Files that come again", failed)],
        operations=[
            [heading("Event files")],
            [
                graph("Seconds a group of batches takes", seconds, unit="s"),
                graph(
                    "Bytes read, and dirty",
                    shown(metrics.BYTES_READ, metrics.BYTES_DIRTY),
                ),
                table(SLOWEST_FILES, functions, width=8),
            ],
        ],
    )


def _percent(kind: str, stage: Stage) -> cloudwatch.IMetric:
    return combined(f"100 * {kind} / (clean + dirty)", _clean_and_dirty(stage), f"{kind}, %", QUARTER)


def _clean_and_dirty(stage: Stage) -> dict[str, cloudwatch.Metric]:
    return {
        "clean": own(stage, metrics.EVENTS_CLEAN, PIPELINE.name, period=QUARTER),
        "dirty": own(stage, metrics.EVENTS_DIRTY, PIPELINE.name, period=QUARTER),
    }


def raise_alarms(
    alarms: Alarms,
    functions: EventFunctions,
    machine: Machine,
    files: QueuedEvents,
    media: QueuedEvents,
    missed_calls: sqs.IQueue,
) -> None:
    """Raise alarms on all that can go wrong, from the queues to the age of the newest row."""
    _on_messages(alarms, "FilesWaiting", files, "Files that could not be validated", "validate_files")
    _on_messages(alarms, "MediaWaiting", media, "Media that could not be indexed", "index_media")
    alarms.on_letters(
        "CallsWaiting",
        [missed_calls],
        "A schedule could not start a conversion, the sweep of orphans or the probe of the lag, or one of the "
        "functions failed.",
        (
            "Look at the message in the dead letter queue: its attributes say what was refused, and why.",
            "Mend it; a permission taken away by hand: see Permissions in the runbook.",
            "Purge the queue: the schedule's next time does the work of this one, too.",
        ),
    )
    _on_waiting_files(alarms, files.queue)
    alarms.on_failing_function("ValidationFailing", "ValidationThrottled", functions.validate_files)
    alarms.on_slow_function("ValidationSlow", functions.validate_files, SLOWEST_FILES)
    _on_dirty_events(alarms, functions)
    alarms.on_failed_runs(
        "ConversionFailed",
        machine,
        "A conversion failed, ran out of time or was aborted. What it did not convert waits for the next run.",
        (
            "Open the execution: which state, which cause? `sluice runs` lists them.",
            "Mend the cause; the next run finishes what this one began.",
            "Start one now: `sluice convert`.",
        ),
        ONE_RUN,
        periods=FOR_A_QUARTER,
    )
    _on_unread_chunks(alarms, machine)
    alarms.on_slow_function("ConversionSlow", functions.convert_batch, ONE_RUN)
    if alarms.stage.settings(EventFiles).probe_schedule:
        _on_lag(alarms, functions, machine)


def _on_unread_chunks(alarms: Alarms, machine: Machine) -> None:
    unread = Advice(
        meaning="A chunk could not be converted, so its events wait while the others are in their tables.",
        steps=(
            "`sluice status`: which chunk, how many files and events, and why?",
            "Denied, archived, its batch failed? Mend permission, object or cause; the next run takes it.",
            "Gone or damaged? `sluice ingest --again CHUNK` validates its files once more.",
        ),
        console=machine_page(machine),
        query=ERRORS,
    )
    left_out = own(alarms.stage, metrics.CHUNKS_LEFT_OUT, PIPELINE.name, period=QUARTER)
    alarms.above("ChunksLeftOut", left_out, 0, unread, periods=FOR_A_QUARTER)


def _on_messages(alarms: Alarms, name: str, queued: QueuedEvents, what: str, function: str) -> None:
    alarms.on_letters(
        name,
        [queued.dead_letters],
        f"{what} wait in a dead letter queue. Nothing is lost, but they stay there until they are redriven.",
        (
            "Look at a message in the queue: which object?",
            f"See in the log of {function} why it failed, and mend that.",
            "Redrive the queue; what was done already is skipped.",
        ),
    )


def _on_waiting_files(alarms: Alarms, queue: sqs.IQueue) -> None:
    minutes = alarms.stage.settings(Observability).queue_age_minutes
    late = Advice(
        meaning=f"The oldest announced file has waited for more than {minutes} minutes.",
        steps=(
            "Is validate_files called, throttled or failing? See its graphs.",
            "Is the event source mapping of the queue enabled?",
            "A flood? It passes by itself; else raise files.max_concurrency in the stage's table event_files.",
        ),
        console=queues_page(queue.queue_name),
        query=SLOWEST_FILES,
    )
    alarms.above("FilesLate", of_queue(queue, "ApproximateAgeOfOldestMessage"), 60 * minutes, late)


def _on_dirty_events(alarms: Alarms, functions: EventFunctions) -> None:
    settings, page = alarms.stage.settings(EventFiles), function_page(functions.validate_files)
    many = Advice(
        meaning=f"More than {settings.dirty_percent:g} % of the events are dirty: they stay outside the tables.",
        steps=(
            "Run the query: which source, which reason?",
            "A producer changed its events? Tell it; `sluice file KEY` shows what a file broke.",
            "A contract is too strict? Change it; upload the files again.",
        ),
        console=page,
        query=DIRTY_REASONS,
    )
    # At once: files may come in bursts, an hour apart.
    alarms.above("DirtyMany", _dirty_ratio(alarms, above=0), settings.dirty_percent, many, periods=AT_ONCE)
    large = replace(many, meaning=f"More than {settings.dirty_percent:g} % of the bytes are dirty, in few events.")
    alarms.above("DirtyBytes", _dirty_bytes_ratio(alarms), settings.dirty_percent, large, periods=AT_ONCE)
    whole = replace(many, meaning="Files gave no clean event at all: all they hold stays outside the tables.")
    files = own(alarms.stage, metrics.FILES_DIRTY, PIPELINE.name, period=QUARTER)
    alarms.above("FilesDirty", files, settings.dirty_files, whole, periods=AT_ONCE)
    unusual = Advice(
        meaning="A larger part of the events is dirty than usual at this time of the week.",
        steps=(
            "Run the query: which reason is new?",
            "Did a producer or a contract change today?",
            "Nothing wrong? The band learns; if it is often so, widen dirty_band in the stage's table event_files.",
        ),
        console=page,
        query=DIRTY_REASONS,
    )
    ratio = _dirty_ratio(alarms, above=settings.dirty_least_percent)
    alarms.unusual("DirtyUnusual", ratio, settings.dirty_band, unusual)


def _dirty_ratio(alarms: Alarms, above: float) -> cloudwatch.MathExpression:
    """Return the percentage of dirty events; 0 with too few events, or where it is not above so many per cent."""
    ratio = "100 * dirty / (clean + dirty)"
    counted = f"IF({ratio} > {above:g}, {ratio}, 0)" if above else ratio
    enough = f"IF(clean + dirty >= {alarms.stage.settings(EventFiles).dirty_least_events}, {counted}, 0)"
    return combined(enough, _clean_and_dirty(alarms.stage), "dirty, % of events", QUARTER)


def _dirty_bytes_ratio(alarms: Alarms) -> cloudwatch.MathExpression:
    """Return the percentage of dirty bytes; 0 with too few bytes."""
    figures = {"dirty": metrics.BYTES_DIRTY, "read": metrics.BYTES_READ}
    using = {name: own(alarms.stage, metric, PIPELINE.name, period=QUARTER) for name, metric in figures.items()}
    enough = f"IF(read >= {alarms.stage.settings(EventFiles).dirty_least_bytes}, 100 * dirty / read, 0)"
    return combined(enough, using, "dirty, % of bytes", QUARTER)


def _on_lag(alarms: Alarms, functions: EventFunctions, machine: Machine) -> None:
    settings = alarms.stage.settings(EventFiles)
    late = Advice(
        meaning=f"Validated events have waited for their conversion for more than {settings.pending_minutes} minutes, "
        "or the probe that measures it (probe_lag) does not run.",
        steps=(
            "Does Convert run? `sluice runs`; is its schedule enabled?",
            "No PendingAge on the dashboard? Then see the log and the schedule of probe_lag.",
            "Start a conversion: `sluice convert`.",
        ),
        console=machine_page(machine),
        query=ERRORS,
    )
    pending = own(alarms.stage, metrics.PENDING_AGE, PIPELINE.name, "Maximum")
    # No age at all: the probe does not run.
    alarms.above("ConversionLate", pending, 60 * settings.pending_minutes, late, missing=Missing.BREACHING)
    quiet = Advice(
        meaning=f"No table has rows of the last {settings.quiet_hours} hours.",
        steps=(
            "Do files arrive in the source bucket? Else ask the producers.",
            "They do: does EventBridge announce them? See the rule's metrics and the files queue.",
            "They are validated: are all events dirty, unrelated, or of times long past?",
        ),
        console=function_page(functions.validate_files),
        query=FRESHNESS,
    )
    newest = own(alarms.stage, metrics.NEWEST_ROW_AGE, PIPELINE.name, "Minimum")
    # A lake without any row has no such age; whether the probe runs at all is seen by ConversionLate.
    alarms.above("NothingArrives", newest, 3600 * settings.quiet_hours, quiet)
