"""Chunks that were lost before their conversion: their files are announced once more, and count once.

The chunk's records go in the same transaction in which those of its files cease to be final. So a file is in the ledger
with what it gave the first time, or the second time, and a conversion has the one or the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from cli.event_files.existing import Listed, announce
from cli.event_files.ledger import find_chunk, versions_of
from cli.event_files.upload import Uploaded
from cli.platform.console import CliError, err, plural
from cli.platform.session import Deployment
from sluice.aws.runtime import CONDITION_FAILED, Item, cancellations, from_dynamodb, is_met, to_dynamodb, transact
from sluice.event_files.ledger.model import SourceObject, Status, clean_key, dirty_key, unrelated_key
from sluice.event_files.ledger.runs_dynamodb import RUN_KEY
from sluice.lake.object_store_s3 import S3ObjectStore

_SEGMENTS = 8  # of the ledger, read side by side
_LOOKED_FOR = 100  # chunks at a time: an expression has at most 4 KB
_MESSAGE = "its chunk was lost before its conversion; it was announced once more"


@dataclass(frozen=True, slots=True)
class Commit:
    """Tells what one commit of validation recorded: its chunks, and the items of its files."""

    chunk_ids: tuple[str, ...]
    items: tuple[Item, ...]

    @property
    def copies(self) -> tuple[Item, ...]:
        """Return the items that only let objects be known by ETags that are no MD5."""
        known_as = {(item["pk"], item.get("etag")) for item in self.items}
        return tuple(item for item in self.items if (item["pk"], item["sk"]) in known_as)

    @property
    def files(self) -> tuple[Item, ...]:
        """Return the items of the files."""
        return tuple(item for item in self.items if item not in self.copies)


def announce_again(deployment: Deployment, chunk_ids: Sequence[str]) -> list[Uploaded]:
    """Announce the source files of chunks once more, as if they had never been validated; return them.

    After a failure the same call goes on.

    Raises:
        CliError: A chunk is unknown or was converted, or a conversion is going on; nothing was done about it.
    """
    with err.status("Looking for the files of these chunks: all of the ledger is read …"):
        commits = _commits_of(deployment, chunk_ids)
    if unknown := set(chunk_ids) - {chunk_id for commit in commits for chunk_id in commit.chunk_ids}:
        raise CliError(
            f"The ledger has no files of {plural(len(unknown), 'chunk')}: {', '.join(sorted(unknown))}.",
            "`sluice status` names the chunks that were left out.",
        )
    return [uploaded for commit in commits for uploaded in _announce(deployment, commit)]


def _commits_of(deployment: Deployment, chunk_ids: Sequence[str]) -> list[Commit]:
    """Return the commits of chunks; no record of a chunk names its files, but each file names its chunks."""
    found: dict[tuple[str, str], Item] = {}
    for start in range(0, len(chunk_ids), _LOOKED_FOR):
        found |= _files_of(deployment, chunk_ids[start : start + _LOOKED_FOR])
    commits: dict[tuple[str, ...], list[Item]] = {}
    for item in found.values():
        commits.setdefault(tuple(item["chunks"]), []).append(item)
    return [Commit(ids, tuple(items)) for ids, items in commits.items()]


def _files_of(deployment: Deployment, chunk_ids: Sequence[str]) -> dict[tuple[str, str], Item]:
    """Return the items of files that gave one of these chunks, by their keys."""
    names = {f":chunk{number}": chunk_id for number, chunk_id in enumerate(chunk_ids)}
    request: dict[str, Any] = {
        "TableName": deployment.output("LedgerTable"),
        "FilterExpression": " OR ".join(f"contains(chunks, {name})" for name in names),
        "ExpressionAttributeValues": to_dynamodb(names),
        "ConsistentRead": True,
        "TotalSegments": _SEGMENTS,
    }

    def scan(segment: int) -> list[Item]:
        pages = deployment.dynamodb.get_paginator("scan").paginate(**request, Segment=segment)
        return [from_dynamodb(item) for page in pages for item in page["Items"]]

    with ThreadPoolExecutor(_SEGMENTS) as threads:
        return {(item["pk"], item["sk"]): item for items in threads.map(scan, range(_SEGMENTS)) for item in items}


def _announce(deployment: Deployment, commit: Commit) -> list[Uploaded]:
    chunks = [found for each in commit.chunk_ids if (found := find_chunk(deployment, each))]
    for chunk in chunks:
        if run_id := chunk.get("run_id"):
            raise CliError(f"Chunk {chunk['sk']} was converted by run {run_id}.", "Its rows are in the tables.")
    if any(Status(item["status"]).is_final for item in commit.files):
        if not chunks:
            raise CliError(f"Chunk {commit.chunk_ids[0]} was converted long ago.", "Its rows are in the tables.")
        _release(deployment, commit, chunks)
    repeated = list(_repeated(deployment, commit))
    for item in (*commit.copies, *repeated):
        is_met(lambda item=item: deployment.dynamodb.put_item(**_reopened(deployment, item)))  # type: ignore[misc]
    sources = {source: item for item in (*commit.items, *repeated) for source in _sources(item)}
    listed = [Listed(source, item["bytes"], archived=False) for source, item in sources.items()]
    announce(deployment.sqs, deployment.output("QueueUrl"), listed)
    lake = S3ObjectStore(deployment.s3, deployment.output("LakeBucket"))
    lake.delete([key(each) for each in commit.chunk_ids for key in (clean_key, dirty_key, unrelated_key)])
    return [Uploaded(source, item["bytes"], {**item, "status": Status.AGAIN.value}) for source, item in sources.items()]


def _release(deployment: Deployment, commit: Commit, chunks: Sequence[Item]) -> None:
    """Take the records of a commit back, all or nothing. Raises CliError while a run may convert its chunks."""
    table = deployment.output("LedgerTable")
    check = {"TableName": table, "Key": to_dynamodb(RUN_KEY), "ConditionExpression": "attribute_not_exists(pk)"}
    changes: list[Any] = [{"ConditionCheck": check}]
    changes += [{"Put": _reopened(deployment, item)} for item in commit.files]
    for chunk in chunks:
        key = to_dynamodb({name: chunk[name] for name in ("pk", "sk")})
        condition = "attribute_exists(pk) AND attribute_not_exists(run_id)"
        changes.append({"Delete": {"TableName": table, "Key": key, "ConditionExpression": condition}})
    try:
        transact(deployment.dynamodb, changes)
    except deployment.dynamodb.exceptions.TransactionCanceledException as error:
        if cancellations(error).get(0) == CONDITION_FAILED:
            raise CliError(
                "A conversion is going on, or was not finished; it may still read the chunk.",
                "`sluice convert` first: it converts all that can be. Then run this again.",
            ) from error
        raise CliError("Records of the chunk changed meanwhile; nothing was done.", "Run this again.") from error


def _reopened(deployment: Deployment, item: Mapping[str, Any]) -> dict[str, Any]:
    """Return the put that makes a file's item one of a file that is to be validated."""
    values = {":before": item["status"], ":at": item["recorded_at"]}
    return {
        "TableName": deployment.output("LedgerTable"),
        "Item": to_dynamodb({**item, "status": Status.AGAIN.value, "message": _MESSAGE}),
        "ConditionExpression": "#status = :before AND recorded_at = :at",
        "ExpressionAttributeNames": {"#status": "status"},
        "ExpressionAttributeValues": to_dynamodb(values),
    }


def _repeated(deployment: Deployment, commit: Commit) -> Iterator[Item]:
    """Yield the items of the same keys that added nothing: what lies there now may be one of these."""
    for bucket, key in {(source.bucket, source.key) for source in map(_source, commit.files)}:
        for item in versions_of(deployment, bucket, key):
            if item["status"] == Status.REPEATED:
                yield item


def _sources(item: Mapping[str, Any]) -> Iterator[SourceObject]:
    """Yield the objects that have an item's bytes: as it was announced, and uploaded in one piece since then."""
    announced = _source(item)
    yield from (announced, replace(announced, etag=item["sk"]))


def _source(item: Mapping[str, Any]) -> SourceObject:
    bucket, _, key = str(item["pk"]).removeprefix("source#").partition("/")
    return SourceObject(bucket, key, item.get("etag", item["sk"]), item.get("version", ""))
