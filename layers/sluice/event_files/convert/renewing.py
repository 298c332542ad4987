"""Groups whose table is another by now: it was dropped, or created anew, after they wrote their files for it."""

from dataclasses import replace
from hashlib import sha256

import orjson

from sluice.event_files.convert.committing import read_receipts
from sluice.event_files.convert.model import BatchGroup, Plan, RunLedger, Tables, plan_key
from sluice.lake.lease import LeaseLostError
from sluice.lake.object_store import ObjectStore


def renew(plan: Plan, key: str, files: ObjectStore, tables: Tables, ledger: RunLedger) -> tuple[str, Plan] | None:
    """Put a plan by which such groups are converted anew in place of the one at `key`; return its key and it.

    Their columns have other ids in the new table; where there is none, their rows wait for it. So are those without
    any file: they are of a version that kept no table of dirty records. The groups get new names, so that nothing they
    wrote counts. None if every table is still the one that was written for.

    Raises:
        LeaseLostError: Another execution put another plan in its place.
    """
    now = {table: tables.id_and_runs(table)[0] for table in plan.tables()}
    stale = {
        each.batch_id
        for each in read_receipts(plan, files)
        if each.table_id not in {"", now.get(each.target)} or not each.files
    }
    if not stale:
        return None
    following = replace(plan, groups=tuple(_renewed(group, stale) for group in plan.groups))
    following_key = plan_key(plan.run_id, f"anew-{sha256(repr(sorted(stale)).encode()).hexdigest()[:16]}")
    files.write(following_key, orjson.dumps(following))
    if not ledger.replace_plan(plan.run_id, key, following_key):
        raise LeaseLostError(f"run {plan.run_id} has another plan than {key}: another execution went on with it")
    return following_key, following


def _renewed(group: BatchGroup, stale: set[str]) -> BatchGroup:
    if stale.isdisjoint(batch.batch_id for batch in group.batches):
        return group
    return BatchGroup(tuple(replace(batch, batch_id=f"{batch.batch_id}-anew") for batch in group.batches))
