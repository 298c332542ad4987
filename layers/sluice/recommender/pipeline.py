"""The recommender as the platform sees it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sluice.observability import prices
from sluice.observability.pipeline import Pipeline, Volume
from sluice.observability.prices import Price
from sluice.recommender.metrics import METRICS
from sluice.recommender.run_summary import INFER, INFERENCES
from sluice.recommender.training_summary import TRAININGS

if TYPE_CHECKING:
    from sluice.observability.run_totals import RunTotals

_ROW_BYTES = 20  # of Parquet
_USERS_A_SECOND, _GB = 10_000, 8
_ROWS_A_SECOND = 5_000


def _usage(totals: "RunTotals") -> Mapping[Price, float]:
    """Return what recommending and loading used."""
    users, rows = totals.count(INFER, "users"), totals.count(INFER, "recommendations")
    return {
        prices.FUNCTION_TIME: users * _GB / _USERS_A_SECOND + rows / _ROWS_A_SECOND,
        prices.OBJECT_STORAGE: rows * _ROW_BYTES,
    }


PIPELINE = Pipeline(
    name="recommender",
    title="Recommender",
    run_kinds=(INFERENCES, TRAININGS),
    own_metrics=METRICS,
    volumes=(Volume(name="recommended_users", title="Users with recommendations", kind=INFER, count="users"),),
    usage=_usage,
    usage_assumes="10,000 users a second in an 8 GB function (5,000 tracks), 5,000 rows a second loaded by a 1 GB one",
    digest_section="sluice.recommender.digest:read_section",
)
