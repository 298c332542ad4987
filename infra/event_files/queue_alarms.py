"""What waits too long, or for a person, in the queues of event files and of watching itself."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import aws_sqs as sqs

from infra.event_files.stack import EventFilesStack
from infra.platform.observability import saved_queries as saved
from infra.platform.observability.alarms import AT_ONCE, Advice, Alarms
from infra.platform.observability.console import queues_page
from infra.platform.observability.measures import combined, of_queue


def raise_on_queues(alarms: Alarms, parts: EventFilesStack) -> None:
    """Raise alarms on letters nobody could handle, and on files that wait."""
    for name, letters, what, function in (
        ("FilesWaiting", parts.files.dead_letters, "Files that could not be validated", "validate_files"),
        ("MediaWaiting", parts.media.dead_letters, "Media that could not be indexed", "index_media"),
    ):
        _raise_on_announcements(alarms, name, letters, what, function)
    _raise_on_calls(alarms, parts.missed_calls)
    _raise_on_age(alarms, parts.files.queue)


def raise_on_watching(alarms: Alarms, letters: Sequence[sqs.IQueue]) -> None:
    """Raise an alarm when the probe, a digest or the record of a run waits in one of these queues."""
    advice = Advice(
        meaning="What watches the stage failed: a probe or digest was not called, or a run has no record.",
        steps=(
            "Look at the message in the dead letter queue: which function, which run?",
            "See that function's log, and mend what it says.",
            "Ends of runs: redrive their queue. Calls of schedules: purge theirs, the next time does the work.",
        ),
        console=queues_page(letters[0].queue_name),
        query=saved.name(alarms.stage, saved.ERRORS),
    )
    counts = {f"m{at}": of_queue(queue, _LETTERS) for at, queue in enumerate(letters)}
    total = combined(f"SUM([{', '.join(counts)}])", counts, "messages that wait")
    alarms.above("WatchingWaiting", total, 0, advice, periods=AT_ONCE)


def _raise_on_announcements(alarms: Alarms, name: str, queue: sqs.IQueue, what: str, function: str) -> None:
    advice = Advice(
        meaning=f"{what} wait in a dead letter queue. Nothing is lost, and nobody goes on by itself.",
        steps=(
            "Look at a message in the queue: which object?",
            f"See in the log of {function} why it failed, and mend that.",
            "Redrive the queue; what was done already is skipped.",
        ),
        console=queues_page(queue.queue_name),
        query=saved.name(alarms.stage, saved.ERRORS),
    )
    alarms.above(name, of_queue(queue, _LETTERS), 0, advice, periods=AT_ONCE)


def _raise_on_calls(alarms: Alarms, queue: sqs.IQueue) -> None:
    advice = Advice(
        meaning="A schedule could not start a conversion or the sweep of orphans, or the sweep failed.",
        steps=(
            "Look at the message in the dead letter queue: its attributes say what was refused, and why.",
            "Mend it; usually with `sluice deploy`.",
            "Purge the queue: the schedule's next time does the work of this one, too.",
        ),
        console=queues_page(queue.queue_name),
        query=saved.name(alarms.stage, saved.ERRORS),
    )
    alarms.above("CallsWaiting", of_queue(queue, _LETTERS), 0, advice, periods=AT_ONCE)


def _raise_on_age(alarms: Alarms, queue: sqs.IQueue) -> None:
    minutes = alarms.stage.watch.queue_age_minutes
    late = Advice(
        meaning=f"The oldest announced file has waited for more than {minutes} minutes.",
        steps=(
            "Is validate_files called, throttled or failing? See its graphs.",
            "Is the event source mapping of the queue enabled?",
            "A flood? It passes by itself; else raise max_concurrency of files in infra/stage.py.",
        ),
        console=queues_page(queue.queue_name),
        query=saved.name(alarms.stage, saved.SLOWEST_FILES),
    )
    alarms.above("FilesLate", of_queue(queue, "ApproximateAgeOfOldestMessage"), 60 * minutes, late)


_LETTERS = "ApproximateNumberOfMessagesVisible"
