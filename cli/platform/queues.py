"""The queues of a stage, and how many messages they hold."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from cli.platform.session import Deployment

_THREADS = 8


@dataclass(frozen=True, slots=True)
class QueueState:
    """A queue, by its physical name.

    Attributes:
        name: Its name.
        waiting: Messages that wait.
        in_flight: Messages that were received and not deleted yet.
        dead_letters: Whether it keeps what could not be processed: it has no dead letter queue itself.
    """

    name: str
    waiting: int
    in_flight: int
    dead_letters: bool


def queue_states(deployment: Deployment) -> list[QueueState]:
    """Return every queue of the stage's stacks, ordered by name."""
    pages = deployment.sqs.get_paginator("list_queues").paginate(QueueNamePrefix=deployment.prefix)
    urls = [url for page in pages for url in page.get("QueueUrls", []) if deployment.owns(url.rpartition("/")[2])]
    with ThreadPoolExecutor(_THREADS) as threads:
        return sorted(threads.map(lambda url: queue_state(deployment, url), urls), key=lambda queue: queue.name)


def queue_state(deployment: Deployment, url: str) -> QueueState:
    """Return the state of a queue."""
    found = deployment.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return QueueState(
        name=url.rpartition("/")[2],
        waiting=int(found["ApproximateNumberOfMessages"]),
        in_flight=int(found["ApproximateNumberOfMessagesNotVisible"]),
        dead_letters="RedrivePolicy" not in found,
    )
