"""The recommender in `sluice status`: what was recommended last, how good it is, and which model is in production."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.platform.console import nowrap_column, table
from cli.platform.registry import PipelineStatus
from cli.platform.session import Deployment
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.recommender.champion import Champion, ModelError
from sluice.recommender.figures import latest_by_day, results_of

_DAYS, _SHOWN = 14, 3  # days that are looked at, snapshots that are shown


def status(deployment: Deployment) -> PipelineStatus:
    """Read the last snapshots that have recommendations, the newest first."""
    lake = S3ObjectStore(deployment.s3, deployment.output("LakeBucket"))
    today = datetime.now(UTC).date()
    found = latest_by_day(results_of(lake, (today - timedelta(days=back) for back in range(_DAYS, -1, -1))))
    last = [*found.values()][: -_SHOWN - 1 : -1]
    try:
        champion = Champion.read(lake).version
        model = f"Model in production: {champion or 'none, popular tracks are recommended'}"
    except ModelError as error:
        champion, model = "", f"Model in production: {error}"
    rows = [
        (
            each["snapshot"],
            each["model_version"],
            f"{each['users']:,}",
            *(f"{figure:.4f}" for figure in _figures(each)),
            "yes" if each["retrain"] else "",
        )
        for each in last
    ]
    headers = (nowrap_column("Snapshot"), "Model", "Users", "NDCG@10", "Popular tracks", "Threshold", "To be trained")
    return PipelineStatus(
        members={"recommender": {"champion": champion, "last": last}},
        lines=(model,) if champion or rows else (),
        tables={"Last recommendations": table(*headers, rows=rows)} if rows else {},
    )


def _figures(result: Mapping[str, Any]) -> tuple[float, float, float]:
    metrics = result["metrics"]
    return metrics["ndcg_at_10"], metrics["popularity_ndcg_at_10"], result["threshold"]
