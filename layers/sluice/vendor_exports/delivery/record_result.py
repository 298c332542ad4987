"""The end of an export: its account is recorded and its slot is free again."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sluice.aws.failures import plain_cause
from sluice.vendor_exports.delivery.keys import ExportRun
from sluice.vendor_exports.delivery.model import DELIVERED, INCOMPLETE, LONGEST_CAUSE, Account, Lease
from sluice.vendor_exports.delivery.ports import Slots


def close(lease: Lease, state: Mapping[str, Any], slots: Slots) -> Account:
    """Record what became of the export, and return it.

    Args:
        lease: Whose export it is.
        state: What the machine's steps left: their answers by step, and ``failure`` where one failed.
        slots: The records of slots.
    """
    found = slots.findings(lease)
    account = found or Account(str(lease.slot), INCOMPLETE, ExportRun(lease).folder)
    cause = _failure(state) or account.cause or _last_cause(state)
    if cause or account.status != DELIVERED:
        cause = cause or "the export ended before its files were checked"
        account = replace(account, status=INCOMPLETE, cause=cause[:LONGEST_CAUSE])
    slots.close(lease, (_delivered_before(lease, slots) if found is None else None) or account)
    return account


def _delivered_before(lease: Lease, slots: Slots) -> Account | None:
    """Return the account of an earlier delivery: a run that came to look at nothing does not undo it."""
    before = slots.account(lease.environment, lease.slot)
    return before if before and before.status == DELIVERED else None


def _last_cause(state: Mapping[str, Any]) -> str:
    causes = [state.get(step, {}).get("cause", "") for step in ("listing", "check", "trigger")]
    return next(filter(None, causes), "")


def _failure(state: Mapping[str, Any]) -> str:
    """Return the sentence inside the error of the step that failed."""
    failure = state.get("failure")
    if not failure:
        return ""
    return plain_cause(str(failure.get("Cause") or failure.get("Error") or "a step failed"))
