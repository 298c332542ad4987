"""Chunks that cannot be read, or whose batch failed for good: a run leaves them out, so that they wait on."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

import orjson

from sluice.event_files.convert.model import (
    BatchGroup,
    Plan,
    RunLedger,
    Tables,
    left_out_key,
    plan_key,
    receipts_key,
)
from sluice.event_files.convert.planning import arrived_with
from sluice.event_files.ledger.model import ChunkRecord, LeftOut
from sluice.lake.lease import LeaseLostError
from sluice.lake.object_store import RUNS_PREFIX, ObjectStore

_LIST_BYTES = 64 << 20  # far more than the list of a group's files is long


class FruitlessRunError(Exception):
    """No chunk of a run can be converted: nothing was, and the next run begins anew."""


class PartlyCommittedError(Exception):
    """Some tables of a run have its rows, and others cannot get theirs now; it goes on once they can."""


def leave_out(plan: Plan, key: str, files: ObjectStore, tables: Tables, ledger: RunLedger) -> tuple[str, Plan] | None:
    """Put a plan without what groups could not convert in place of the plan at `key`; return its key and it.

    Groups without these chunks keep their names, and with them their receipts; what is left of the others gets new
    names, so that nothing written of these chunks counts. None if every group has receipts.

    Raises:
        PartlyCommittedError: Tables have the run's rows already: those of its chunks would come twice.
        FruitlessRunError: No chunk is left, though not all are gone: most likely the function lacks a permission.
        LeaseLostError: Another execution put another plan in its place.
    """
    failed = _failed(plan, files)
    if not failed:
        return None
    if committed := [table for table in plan.tables() if plan.run_id in tables.id_and_runs(table)[1]]:
        raise PartlyCommittedError(
            f"run {plan.run_id} is committed to {', '.join(committed)}, and another table of it is gone: deploy the "
            f"contract of that table again, then start the conversion. The first: {next(iter(failed.values())).reason}"
        )
    pending = {chunk.chunk_id: chunk for chunk in ledger.pending_chunks()}
    left_out = _with_companions(failed, [pending[each] for each in plan.chunk_ids if each in pending])
    following = _without(plan, left_out, pending)
    if not following.groups and not all(each.gone for each in following.left_out):
        ledger.note_left_out(_hardly_blamed(plan, left_out, pending))
        ledger.close_run(plan.run_id)
        raise FruitlessRunError(
            f"run {plan.run_id}: none of its chunks ({len(plan.chunk_ids):,}) could be converted; "
            f"all of them wait for the next run. The first: {following.left_out[0].reason}"
        )
    ledger.note_left_out(left_out.values())
    following_key = plan_key(plan.run_id, _suffix(following.left_out))
    files.write(following_key, orjson.dumps(following))
    if not ledger.replace_plan(plan.run_id, key, following_key):
        raise LeaseLostError(f"run {plan.run_id} has another plan than {key}: another execution went on with it")
    return following_key, following


def _failed(plan: Plan, files: ObjectStore) -> dict[str, LeftOut]:
    """Return what groups without receipts noted, or all their chunks: a call that was ended notes nothing."""
    done = {found.key for found in files.list(f"{RUNS_PREFIX}{plan.run_id}/receipts/")}
    groups = [group for group in plan.groups if receipts_key(plan.run_id, group.group_id) not in done]
    notes = files.find_all([left_out_key(plan.run_id, group.group_id) for group in groups], _LIST_BYTES)
    found = [note for group, body in zip(groups, notes, strict=True) for note in _notes_of(group, body)]
    # What is known of the chunk itself says more than the failure of another group.
    return {note.chunk_id: note for note in sorted(found, key=lambda note: -note.failures)}


def _notes_of(group: BatchGroup, body: bytes | None) -> list[LeftOut]:
    """Return what a group noted of its chunks; those of an earlier plan are none of them any more."""
    noted = [LeftOut(**each) for each in orjson.loads(body or b"[]") if each["chunk_id"] in group.chunk_ids]
    reason = (
        f"group {group.group_id} of run {group.run_id} ended without a word: out of time or memory, most likely; "
        "see the log of convert_batch"
    )
    return noted or [LeftOut(chunk_id, reason, failures=1) for chunk_id in group.chunk_ids]


def _with_companions(failed: Mapping[str, LeftOut], chunks: Sequence[ChunkRecord]) -> dict[str, LeftOut]:
    """Add the chunks that were committed with one of them: their files could not be validated again otherwise."""
    lost = {chunk.commit: failed[chunk.chunk_id] for chunk in chunks if chunk.chunk_id in failed}
    found = dict(failed)
    for chunk in chunks:
        if first := lost.get(chunk.commit):
            because = replace(
                first, chunk_id=chunk.chunk_id, reason=f"it belongs to a file of chunk {first.chunk_id}: {first.reason}"
            )
            note = failed.get(chunk.chunk_id, because)
            failures = chunk.failures + 1 if note.failures else 0
            counted = replace(note, files=chunk.files, events=chunk.counts.clean.total(), failures=failures)
            found[chunk.chunk_id] = counted
    return found


def _hardly_blamed(
    plan: Plan, left_out: Mapping[str, LeftOut], pending: Mapping[str, ChunkRecord]
) -> Iterator[LeftOut]:
    """Yield the notes of a run in which all failed, most likely for one reason: of one group only the failure counts.

    It is tried in parts next time. If one of them can be converted, it was the chunks' fault, and all failures count.
    """
    parted = (group.chunk_ids for group in reversed(plan.groups) if len(group.chunk_ids) > 1)
    blamed = next(parted, plan.chunk_ids)
    for chunk_id, note in left_out.items():
        known = pending[chunk_id].failures if chunk_id in pending else 0
        yield note if chunk_id in blamed else replace(note, failures=known)


def _without(plan: Plan, left_out: Mapping[str, LeftOut], pending: Mapping[str, ChunkRecord]) -> Plan:
    chunk_ids = tuple(each for each in plan.chunk_ids if each not in left_out)
    chunks = [pending[each] for each in chunk_ids if each in pending]
    every = (*plan.left_out, *left_out.values())
    suffix = _suffix(every)
    return replace(
        plan,
        files=sum(chunk.files for chunk in chunks),
        chunk_ids=chunk_ids,
        groups=tuple(filter(None, (_group_without(group, left_out.keys(), suffix) for group in plan.groups))),
        arrived=arrived_with(chunks),
        left_out=every,
    )


def _suffix(left_out: Iterable[LeftOut]) -> str:
    """Name what is planned without these chunks: calls that leave out the same agree on it, and no others do."""
    return f"without-{sha256(repr(sorted(each.chunk_id for each in left_out)).encode()).hexdigest()[:16]}"


def _group_without(group: BatchGroup, chunk_ids: Collection[str], suffix: str) -> BatchGroup | None:
    if not any(chunk_id in chunk_ids for chunk_id in group.chunk_ids):
        return group
    kept = [
        replace(
            batch,
            batch_id=f"{batch.batch_id}-{suffix}",
            spans=tuple(span for span in batch.spans if span.chunk_id not in chunk_ids),
        )
        for batch in group.batches
    ]
    batches = tuple(batch for batch in kept if batch.spans)
    return BatchGroup(batches) if batches else None
