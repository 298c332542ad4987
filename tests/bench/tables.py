"""Files to tables, through the real use cases: validated, planned, converted, committed and profiled."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sluice.contracts.model import PROFILING_LOG
from sluice.event_files.convert.batches import Converter
from sluice.event_files.convert.committing import Summary, commit, read_plan
from sluice.event_files.convert.planning import Planning
from sluice.event_files.convert.profiling import publish_profile
from sluice.lake.object_store import ObjectStore
from tests.bench.local_validation import REGISTRY, Read, validate
from tests.bench.schemas import schema_of
from tests.event_files.unit.convert.memory_ledger import RunningExecutions
from tests.support.memory_object_store import MemoryTables

_BATCH_BYTES = 32 << 20  # as a stage has it
_NOW = datetime(2026, 1, 1, tzinfo=UTC)


def to_tables(keys: Sequence[str], read: Read, lake: ObjectStore) -> Summary:
    """Validate files, then plan, convert each batch, commit and profile, as the machine does."""
    ledger = validate(keys, read, lake)
    planned = Planning(ledger, lake, RunningExecutions(), _BATCH_BYTES).plan("bench", "run", _NOW, "token")
    plan = read_plan(lake, planned.plan_key or "")
    converter = Converter(REGISTRY, lake, schema_of, lambda: "attempt")
    for group in plan.groups:
        converter.convert(group)
    tables = MemoryTables()
    summary = commit(plan, lake, tables, ledger)
    publish_profile(plan, lake, tables, ledger, schema_of(PROFILING_LOG.name))
    return summary
