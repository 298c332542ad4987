"""Chunks that cannot be read: a run leaves them out, so that they wait on, and converts the others."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import orjson

from sluice.event_files.convert.model import (
    BatchGroup,
    LeftOut,
    Plan,
    RunLedger,
    Span,
    left_out_key,
    plan_key,
    receipts_key,
    written_key,
)
from sluice.event_files.convert.planning import arrived_with
from sluice.event_files.ledger.model import ChunkRecord
from sluice.lake.lease import LeaseLostError
from sluice.lake.object_store import RUNS_PREFIX, ObjectStore

_LIST_BYTES = 64 << 20  # far more than the list of a group's files is long


class UnreadableRunError(Exception):
    """No chunk of a run can be read: nothing was converted, and the next run begins anew."""


def leave_out(plan: Plan, key: str, files: ObjectStore, ledger: RunLedger) -> tuple[str, Plan] | None:
    """Put a plan without the chunks that groups could not read in place of the plan at `key`; return its key and it.

    What was written of these chunks is removed first, so that they are converted later as if they had never been
    planned; groups without them keep their receipts. None if every group could read its chunks.

    Raises:
        UnreadableRunError: No chunk is left, though not all are gone: most likely the function lacks a permission.
        LeaseLostError: Another execution put another plan in its place.
    """
    unread = _unread(plan, files)
    if not unread:
        return None
    pending = {chunk.chunk_id: chunk for chunk in ledger.pending_chunks()}
    left_out = _with_companions(unread, [pending[each] for each in plan.chunk_ids if each in pending])
    _remove(plan, left_out.keys(), files)
    ledger.note_left_out({each.chunk_id: each.reason for each in left_out.values()})
    following = _without(plan, left_out, pending)
    if not following.groups and not all(each.gone for each in following.left_out):
        ledger.close_run(plan.run_id)
        raise UnreadableRunError(
            f"run {plan.run_id}: none of its chunks ({len(plan.chunk_ids):,}) can be read, so nothing was converted; "
            f"all of them wait for the next run. The first: {following.left_out[0].reason}"
        )
    following_key = plan_key(plan.run_id, f"without-{len(following.left_out)}")
    files.write(following_key, orjson.dumps(following))
    if not ledger.replace_plan(plan.run_id, key, following_key):
        raise LeaseLostError(f"run {plan.run_id} has another plan than {key}: another execution went on with it")
    return following_key, following


def _unread(plan: Plan, files: ObjectStore) -> dict[str, LeftOut]:
    """Return what groups without receipts noted."""
    noted = {found.key for found in files.list(f"{RUNS_PREFIX}{plan.run_id}/left_out/")}
    if not noted:
        return {}
    done = {found.key for found in files.list(f"{RUNS_PREFIX}{plan.run_id}/receipts/")}
    keys = [
        left_out_key(plan.run_id, group.group_id)
        for group in plan.groups
        if receipts_key(plan.run_id, group.group_id) not in done
    ]
    notes = [
        LeftOut(**note) for body in files.read_all([key for key in keys if key in noted]) for note in orjson.loads(body)
    ]
    return {note.chunk_id: note for note in notes}


def _with_companions(unread: Mapping[str, LeftOut], chunks: Sequence[ChunkRecord]) -> dict[str, LeftOut]:
    """Add the chunks that were committed with one of them: their files could not be validated again otherwise."""
    lost = {_commit_of(chunk): unread[chunk.chunk_id] for chunk in chunks if chunk.chunk_id in unread}
    found = dict(unread)
    for chunk in chunks:
        if first := lost.get(_commit_of(chunk)):
            because = replace(
                first, chunk_id=chunk.chunk_id, reason=f"it belongs to a file of chunk {first.chunk_id}: {first.reason}"
            )
            note = unread.get(chunk.chunk_id, because)
            found[chunk.chunk_id] = replace(note, files=chunk.files, events=chunk.counts.clean.total())
    return found


def _commit_of(chunk: ChunkRecord) -> str:
    return chunk.commit_id or chunk.chunk_id


def _remove(plan: Plan, chunk_ids: Collection[str], files: ObjectStore) -> None:
    """Remove the receipts of the groups with spans of these chunks, then the files that these have written."""
    groups = [group for group in plan.groups if any(span.chunk_id in chunk_ids for span in _spans(group))]
    files.delete([receipts_key(plan.run_id, group.group_id) for group in groups])
    lists = files.find_all([written_key(plan.run_id, group.group_id) for group in groups], _LIST_BYTES)
    files.delete([key for body in lists if body for key in orjson.loads(body)])


def _spans(group: BatchGroup) -> Iterator[Span]:
    return (span for batch in group.batches for span in batch.spans)


def _without(plan: Plan, left_out: Mapping[str, LeftOut], pending: Mapping[str, ChunkRecord]) -> Plan:
    chunk_ids = tuple(each for each in plan.chunk_ids if each not in left_out)
    chunks = [pending[each] for each in chunk_ids if each in pending]
    return replace(
        plan,
        files=sum(chunk.files for chunk in chunks),
        chunk_ids=chunk_ids,
        groups=tuple(filter(None, (_group_without(group, left_out.keys()) for group in plan.groups))),
        arrived=arrived_with(chunks),
        left_out=(*plan.left_out, *left_out.values()),
    )


def _group_without(group: BatchGroup, chunk_ids: Collection[str]) -> BatchGroup | None:
    kept = [
        replace(batch, spans=tuple(span for span in batch.spans if span.chunk_id not in chunk_ids))
        for batch in group.batches
    ]
    batches = tuple(batch for batch in kept if batch.spans)
    return BatchGroup(batches) if batches else None
