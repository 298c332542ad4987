"""The pipeline of the application's API as the platform sees it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sluice.api_pull.metrics import METRICS
from sluice.api_pull.run_summary import PULL, PULLS, measure
from sluice.observability import prices
from sluice.observability.pipeline import Pipeline, Volume
from sluice.observability.prices import Price

if TYPE_CHECKING:
    from sluice.observability.run_totals import RunTotals

_PART_BYTES = 16 * 1024 * 1024
_BYTES_A_SECOND, _GB_SECONDS_A_BYTE = 2_000_000, 3 / 20_000_000

_VOLUMES = (
    Volume(name="pulled_tracks", title="Tracks pulled", kind=PULL, count="clean_tracks", watched=True),
    Volume(name="pulled_users", title="Users pulled", kind=PULL, count="clean_users", watched=True),
    Volume(name="pulled_listens", title="Listens pulled", kind=PULL, count="clean_listens", watched=True),
    Volume(name="pulled_bytes", title="Bytes of pages pulled", kind=PULL, count="raw_bytes"),
    Volume(name="pulled_nulls", title="Nulls in rows pulled", kind=PULL, count="null_values"),
    Volume(name="pulled_dirty", title="Dirty rows pulled", kind=PULL, count="dirty_rows"),
)


def _usage(totals: "RunTotals") -> Mapping[Price, float]:
    """Return what reading pages and checking rows used."""
    pulled = totals.count(PULL, "raw_bytes")
    parts = pulled / _PART_BYTES
    return {
        prices.OBJECT_PUT: 2 * parts,
        prices.FUNCTION_CALL: parts,
        prices.FUNCTION_TIME: pulled / _BYTES_A_SECOND + pulled * _GB_SECONDS_A_BYTE,
        prices.OBJECT_STORAGE: pulled,
    }


PIPELINE = Pipeline(
    name="api_pull",
    title="API pulls",
    run_kinds=(PULLS,),
    own_metrics=METRICS,
    measure=measure,
    volumes=_VOLUMES,
    usage=_usage,
    usage_assumes="pages at 2 MB/s in a 1 GB function, rows checked at 20 MB/s in a 3 GB function",
    digest_section="sluice.api_pull.digest:read_section",
)
