"""What the runs of some time cost by list prices, estimated from what their records count."""

from dataclasses import dataclass

from sluice.observability import prices
from sluice.observability.digest.run_totals import Tally
from sluice.observability.prices import Price
from sluice.runs.model import Kind

WATCHING = "metrics, alarms and dashboards"
"""What a stage has anyway, whatever its runs do."""

NOT_COUNTED = (
    "the producers' own uploads",
    "logs and traces",
    WATCHING,
    "queries of Athena",
    "storage of what was there before, access logs, replaced versions",
    "data transfer",
    "secrets and schedules",
    "the idle polling of queues",
    "a search cluster",
    "free tiers and discounts",
)
"""What the estimate leaves out."""

ASSUMED = (
    "30 ms of a 1 GB function per file, 3 s of a 2 GB function per 32 MiB converted, copies at 20 MB/s in a 0.5 GB "
    "function, a poll per minute of an export, and storage for the month that follows"
)
"""What it takes for granted."""

_MIB = 1024 * 1024
_FILE_GB_SECONDS = 0.030
_FILES_PER_CALL = 20
_BATCH_BYTES = 32 * _MIB
_BATCH_GB_SECONDS = 3.0 * 2
_BATCH_TRANSITIONS = 3
_COPY_GB_SECONDS = 0.5 / 20_000_000  # per byte
_PART_BYTES = 8 * _MIB
_STEP_GB_SECONDS = 0.25
_POLL_SECONDS, _POLL_TRANSITIONS = 60, 3


@dataclass(frozen=True, slots=True)
class CostItem:
    """A line of the estimate: so many units at a price."""

    price: Price
    quantity: float

    @property
    def dollars(self) -> float:
        """What it costs."""
        return self.price.of(self.quantity)


@dataclass(frozen=True, slots=True)
class Cost:
    """The estimate."""

    items: tuple[CostItem, ...]

    @property
    def dollars(self) -> float:
        """The sum."""
        return sum(item.dollars for item in self.items)


def cost_of(tally: Tally) -> Cost:
    """Estimate what the runs cost, and taking in the files they converted."""
    files = tally.count(Kind.CONVERT, "files")
    batches = tally.count(Kind.CONVERT, "bytes") / _BATCH_BYTES
    copied, copied_bytes = tally.count(Kind.EXPORT, "copied"), tally.count(Kind.EXPORT, "bytes")
    visits, polls = sum(tally.visits.values()), tally.seconds[Kind.EXPORT] / _POLL_SECONDS
    written = tally.count(Kind.CONVERT, "parquet_bytes") + copied_bytes
    calls = files / _FILES_PER_CALL + batches + copied + visits + polls
    gb_seconds = files * _FILE_GB_SECONDS + batches * _BATCH_GB_SECONDS + copied_bytes * _COPY_GB_SECONDS
    quantities = {
        prices.BUS_EVENT: files,
        prices.QUEUE_REQUEST: 1.2 * files,  # sent one by one, received and deleted by tens
        prices.TABLE_WRITE: 2.0 * files,  # a transaction counts twice
        prices.TABLE_READ: 0.5 * files,
        prices.OBJECT_GET: files + 2 * batches,
        # Parquet and a part of the profiling log for each file; chunks are fewer.
        prices.OBJECT_PUT: 2 * tally.count(Kind.CONVERT, "parquet_files")
        + copied
        + copied_bytes / _PART_BYTES
        + visits,
        prices.FUNCTION_CALL: calls,
        prices.FUNCTION_TIME: gb_seconds + (visits + polls) * _STEP_GB_SECONDS,
        prices.TRANSITION: visits + batches * _BATCH_TRANSITIONS + polls * _POLL_TRANSITIONS,
        prices.OBJECT_STORAGE: written,
    }
    return Cost(tuple(CostItem(price, quantity) for price, quantity in quantities.items()))
