"""The recommender as the platform sees it."""

from sluice.observability.pipeline import Pipeline, Volume
from sluice.recommender.metrics import METRICS
from sluice.recommender.run_summary import INFER, INFERENCES

PIPELINE = Pipeline(
    name="recommender",
    title="Recommender",
    run_kinds=(INFERENCES,),
    own_metrics=METRICS,
    volumes=(Volume(name="recommended_users", title="Users with recommendations", kind=INFER, count="users"),),
    digest_section="sluice.recommender.digest:read_section",
)
