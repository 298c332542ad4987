"""API pulls in `sluice status`: what became of each endpoint on the last days."""

from dataclasses import asdict

from cli.platform.console import nowrap_column, table
from cli.platform.registry import PipelineStatus
from cli.platform.runs import styled
from cli.platform.session import Deployment
from sluice.api_pull.contracts import ENDPOINTS
from sluice.api_pull.history import History
from sluice.lake.object_store_s3 import S3ObjectStore

_DAYS = 3


def status(deployment: Deployment) -> PipelineStatus:
    """Read the last days, the newest first."""
    history = History.read(S3ObjectStore(deployment.s3, deployment.output("LakeBucket")))
    found = {endpoint: history.days.get(endpoint, ())[: -_DAYS - 1 : -1] for endpoint in ENDPOINTS}
    rows = [
        (day.snapshot_date, endpoint, styled(day.status), f"{day.rows:,}")
        for endpoint, days in found.items()
        for day in days
    ]
    headers = (nowrap_column("Day"), "Endpoint", "Status", "Rows")
    return PipelineStatus(
        members={"pulls": {endpoint: list(map(asdict, days)) for endpoint, days in found.items()}},
        tables={"Last pulls": table(*headers, rows=rows)} if rows else {},
    )
