"""The pipeline of the vendor's exports as the platform sees it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sluice.observability import prices
from sluice.observability.pipeline import Pipeline, Volume
from sluice.observability.prices import Price
from sluice.vendor_exports.metrics import METRICS
from sluice.vendor_exports.run_summary import EXPORT, EXPORTS, HISTORIES, measure

if TYPE_CHECKING:
    from sluice.observability.run_totals import RunTotals

_COPY_GB_SECONDS = 0.5 / 20_000_000  # per byte
_PART_BYTES = 8 * 1024 * 1024
_POLL_SECONDS, _POLL_TRANSITIONS, _POLL_GB_SECONDS = 60, 3, 0.25

_VOLUMES = (
    Volume(name="export_files", title="Export files copied", kind=EXPORT, count="copied", watched=True),
    Volume(name="export_bytes", title="Bytes of exports", kind=EXPORT, count="bytes", watched=True),
    Volume(name="export_refetched", title="Export files fetched again", kind=EXPORT, count="refetched"),
    Volume(name="export_missing", title="Export files missing", kind=EXPORT, count="missing"),
)


def _usage(totals: "RunTotals") -> Mapping[Price, float]:
    """Return what polling jobs and copying files used."""
    copied, copied_bytes = totals.count(EXPORT, "copied"), totals.count(EXPORT, "bytes")
    polls = totals.seconds[EXPORT] / _POLL_SECONDS
    return {
        prices.OBJECT_PUT: copied + copied_bytes / _PART_BYTES,
        prices.FUNCTION_CALL: copied + polls,
        prices.FUNCTION_TIME: copied_bytes * _COPY_GB_SECONDS + polls * _POLL_GB_SECONDS,
        prices.TRANSITION: polls * _POLL_TRANSITIONS,
        prices.OBJECT_STORAGE: copied_bytes,
    }


PIPELINE = Pipeline(
    name="vendor_exports",
    title="Vendor exports",
    run_kinds=(EXPORTS, HISTORIES),
    own_metrics=METRICS,
    measure=measure,
    volumes=_VOLUMES,
    usage=_usage,
    usage_assumes="copies at 20 MB/s in a 0.5 GB function, a poll per minute of an export",
    digest_section="sluice.vendor_exports.completeness.report.digest:read_section",
)
