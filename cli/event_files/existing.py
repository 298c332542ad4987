"""Objects that were in the source bucket before the stage came: listed, and announced as S3 would have done."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cli.event_files.producer_bucket import ProducerBucket
from cli.platform.console import CliError, err, out, plural
from cli.platform.session import Deployment
from sluice.event_files.ledger.ledger_dynamodb import DynamoLedger
from sluice.event_files.ledger.model import SourceObject
from sluice.event_files.pipeline import PIPELINE
from sluice.event_files.run_summary import CONVERT
from sluice.observability import prices
from sluice.observability.formatting import dollars, size
from sluice.observability.run_totals import RunTotals

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_THREADS = 16
_LOOKED_UP = 100  # objects: as many as one request to the ledger finds
_SENT = 10  # messages: as many as one request to the queue takes
_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
_LISTED = 1000  # objects of a request


@dataclass(frozen=True, slots=True)
class Existing:
    """Objects below a prefix, and bytes of those to take in.

    `known` are in the ledger already, `archived` have to be restored before they can be read; the others are `taken`,
    for so many dollars.
    """

    prefix: str
    objects: int
    known: int
    archived: int
    taken: int
    bytes: int
    dollars: float


@dataclass(frozen=True, slots=True)
class Listed:
    """An object of the source bucket, and its bytes; an `archived` one cannot be read."""

    source: SourceObject
    size: int
    archived: bool


def take_in(deployment: Deployment, prefix: str, *, dry_run: bool) -> Existing:
    """Announce every object below a prefix that the ledger does not know; a dry run only counts them.

    The ledger counts an object once, however often it is announced: after a failure, the same call goes on.

    Raises:
        CliError: The stage takes nothing below the prefix, or the queue does not take a message.
    """
    bucket = ProducerBucket.of(deployment, "Source")
    ledger = DynamoLedger(deployment.dynamodb, deployment.output("LedgerTable"))
    queue = deployment.output("QueueUrl")
    counts: Counter[str] = Counter()

    def take(batch: list[Listed]) -> Counter[str]:
        finished = ledger.finished(each.source for each in batch)
        new = [each for each in batch if each.source not in finished]
        taken = [each for each in new if not each.archived]
        if not dry_run:
            announce(deployment.sqs, queue, taken)
        return Counter(
            objects=len(batch),
            known=len(batch) - len(new),
            archived=len(new) - len(taken),
            taken=len(taken),
            bytes=sum(each.size for each in taken),
        )

    with err.status("Listing …") as shown, ThreadPoolExecutor(_THREADS) as threads:
        for page in bucket.pages(prefix):
            listed = [_listed(bucket.name, entry) for entry in page]
            counts.update(sum(threads.map(take, _cut(listed, _LOOKED_UP)), Counter()))
            shown.update(f"{plural(counts['objects'], 'object')} …")
    amounts = {name: counts[name] for name in ("objects", "known", "archived", "taken", "bytes")}
    return Existing(prefix, **amounts, dollars=round(_dollars(counts), 4))


def show(found: Existing, *, dry_run: bool) -> None:
    """Print what was found, and what becomes of it."""
    out.print(
        f"{plural(found.objects, 'object')} below {found.prefix!r}: {found.known:,} known already", highlight=False
    )
    does = "would be taken in" if dry_run else "announced"
    cost = f"{dollars(found.dollars)} or so, by list prices"
    out.print(f"{plural(found.taken, 'object')} {does}, {size(found.bytes)}: {cost}", highlight=False)
    if found.archived:
        out.print(f"[yellow]{plural(found.archived, 'object')} archived:[/] restore them, then run this again")
    if found.taken and not dry_run:
        out.print("`sluice status` shows how far they are; `sluice ingest --existing` again must find them known.")


def _listed(bucket: str, entry: Mapping[str, Any]) -> Listed:
    source = SourceObject(bucket, entry["Key"], entry["ETag"].strip('"'))
    return Listed(source, entry["Size"], entry.get("StorageClass") in _ARCHIVED)


def _cut(items: list[Listed], length: int) -> Iterator[list[Listed]]:
    return (items[start : start + length] for start in range(0, len(items), length))


def announce(sqs: "SQSClient", queue: str, objects: list[Listed]) -> None:
    """Announce objects to the queue of files, as EventBridge would.

    Raises:
        CliError: The queue does not take one of them.
    """
    for batch in _cut(objects, _SENT):
        entries: Any = [{"Id": str(number), "MessageBody": _message(each)} for number, each in enumerate(batch)]
        for failed in sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed", ()):
            key = batch[int(failed["Id"])].source.key
            raise CliError(f"The queue did not take {key}: {failed.get('Message')}.", "Run the same command again.")


def _message(each: Listed) -> str:
    """Return the announcement, in the form of EventBridge, whose keys are not encoded."""
    source = each.source
    described = {"key": source.key, "etag": source.etag, "version-id": source.version, "size": each.size}
    detail = {"bucket": {"name": source.bucket}, "object": described}
    return json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})


def _dollars(counts: Mapping[str, int]) -> float:
    """Return what listing the objects and taking them in costs; nothing sends them through EventBridge."""
    work = {CONVERT: {"files": counts["taken"], "bytes": counts["bytes"]}}
    totals = RunTotals(
        outcomes={}, results={}, counts=work, rows={}, commits={}, dirty={}, steps={}, states={}, seconds={}
    )
    used = {**PIPELINE.usage(totals), prices.BUS_EVENT: 0.0}
    listing = prices.OBJECT_PUT.of(counts["objects"] / _LISTED)
    return listing + sum(price.of(quantity) for price, quantity in used.items())
