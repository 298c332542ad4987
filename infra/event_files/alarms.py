"""Alarms of event files, from the queues to the age of the newest row, and what a person does about them."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from infra.event_files.dashboard import DIRTY_REASONS, FRESHNESS, SLOWEST_FILES
from infra.event_files.functions import EventFunctions
from infra.event_files.settings import EventFiles
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
from infra.platform.observability.saved_queries import ERRORS, ONE_RUN
from infra.platform.observability.settings import Observability
from infra.platform.queues import QueuedEvents
from sluice.event_files import metrics
from sluice.event_files.pipeline import PIPELINE


def raise_alarms(
    alarms: Alarms,
    functions: EventFunctions,
    machine: Machine,
    files: QueuedEvents,
    media: QueuedEvents,
    missed_calls: sqs.IQueue,
) -> None:
    """Raise them all."""
    _on_letters(alarms, files, media, missed_calls)
    _on_waiting_files(alarms, files.queue)
    alarms.on_failing_function("ValidationFailing", "ValidationThrottled", functions.validate_files)
    alarms.on_slow_function("ValidationSlow", functions.validate_files, SLOWEST_FILES)
    _on_dirty_events(alarms, functions)
    alarms.on_failed_runs(
        "ConversionFailed",
        machine,
        "A conversion failed, ran out of time or was aborted. Nothing was marked converted.",
        (
            "Open the execution: which state, which cause? `sluice runs` lists them.",
            "Mend the cause; the next run finishes what this one began.",
            "Start one now: `sluice convert`.",
        ),
        ONE_RUN,
        periods=FOR_A_QUARTER,
    )
    alarms.on_slow_function("ConversionSlow", functions.convert_batch, ONE_RUN)
    if alarms.stage.settings(EventFiles).probe_schedule:
        _on_pending_age(alarms, machine)
        _on_newest_row(alarms, functions)


def _on_letters(alarms: Alarms, files: QueuedEvents, media: QueuedEvents, missed_calls: sqs.IQueue) -> None:
    for name, letters, what, function in (
        ("FilesWaiting", files.dead_letters, "Files that could not be validated", "validate_files"),
        ("MediaWaiting", media.dead_letters, "Media that could not be indexed", "index_media"),
    ):
        alarms.on_letters(
            name,
            [letters],
            f"{what} wait in a dead letter queue. Nothing is lost, but they stay there until they are redriven.",
            (
                "Look at a message in the queue: which object?",
                f"See in the log of {function} why it failed, and mend that.",
                "Redrive the queue; what was done already is skipped.",
            ),
        )
    alarms.on_letters(
        "CallsWaiting",
        [missed_calls],
        "A schedule could not start a conversion, the sweep of orphans or the probe of the lag, or one of the "
        "functions failed.",
        (
            "Look at the message in the dead letter queue: its attributes say what was refused, and why.",
            "Mend it; usually with `sluice deploy`.",
            "Purge the queue: the schedule's next time does the work of this one, too.",
        ),
    )


def _on_waiting_files(alarms: Alarms, queue: sqs.IQueue) -> None:
    minutes = alarms.stage.settings(Observability).queue_age_minutes
    late = Advice(
        meaning=f"The oldest announced file has waited for more than {minutes} minutes.",
        steps=(
            "Is validate_files called, throttled or failing? See its graphs.",
            "Is the event source mapping of the queue enabled?",
            "A flood? It passes by itself; else raise max_concurrency of files in infra/event_files/settings.py.",
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
    unusual = Advice(
        meaning="A larger part of the events is dirty than usual at this time of the week.",
        steps=(
            "Run the query: which reason is new?",
            "Did a producer or a contract change today?",
            "Nothing wrong? The band learns; if it is often so, widen dirty_band in infra/event_files/settings.py.",
        ),
        console=page,
        query=DIRTY_REASONS,
    )
    ratio = _dirty_ratio(alarms, above=settings.dirty_least_percent)
    alarms.unusual("DirtyUnusual", ratio, settings.dirty_band, unusual)


def _dirty_ratio(alarms: Alarms, above: float) -> cloudwatch.MathExpression:
    """Return the percentage of dirty events; 0 with too few events, or where it is not above so many per cent."""
    events = {
        "clean": own(alarms.stage, metrics.EVENTS_CLEAN, PIPELINE.name, period=QUARTER),
        "dirty": own(alarms.stage, metrics.EVENTS_DIRTY, PIPELINE.name, period=QUARTER),
    }
    ratio = "100 * dirty / (clean + dirty)"
    counted = f"IF({ratio} > {above:g}, {ratio}, 0)" if above else ratio
    enough = f"IF(clean + dirty >= {alarms.stage.settings(EventFiles).dirty_least_events}, {counted}, 0)"
    return combined(enough, events, "dirty, % of events", QUARTER)


def _on_pending_age(alarms: Alarms, machine: Machine) -> None:
    minutes = alarms.stage.settings(EventFiles).pending_minutes
    late = Advice(
        meaning=f"Validated events have waited for their conversion for more than {minutes} minutes, "
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
    alarms.above("ConversionLate", pending, 60 * minutes, late, missing=Missing.BREACHING)


def _on_newest_row(alarms: Alarms, functions: EventFunctions) -> None:
    hours = alarms.stage.settings(EventFiles).quiet_hours
    quiet = Advice(
        meaning=f"No table has rows of the last {hours} hours.",
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
    alarms.above("NothingArrives", newest, 3600 * hours, quiet)
