"""Pages with plots, and the figures they show.

Only commands that draw import this, when they do: Plotly and Arrow, which it needs, are slow to import.
"""

from __future__ import annotations

from cli.platform.session import Deployment
from cli.vendor_exports.slots import environment_of
from infra.stage import stage_named
from sluice.event_files.ledger.freshness_dynamodb import DynamoFreshness
from sluice.lake.object_store_s3 import S3ObjectStore
from sluice.observability.digest.document import document_of
from sluice.observability.digest.page import digest_page
from sluice.observability.digest.sources import Sources
from sluice.runs.records_s3 import S3RunRecords

__all__ = ["digest_page", "document_of", "sources_of"]


def sources_of(deployment: Deployment) -> Sources:
    """All that a stage's digests are made from."""
    bucket = deployment.output("LakeBucket")
    return Sources(
        stage=deployment.stage,
        environment=environment_of(deployment),
        out_of_scope=stage_named(deployment.stage).exports.out_of_scope,
        records=S3RunRecords(deployment.s3, bucket),
        histories=S3ObjectStore(deployment.s3, bucket),
        tables=DynamoFreshness(deployment.dynamodb, deployment.output("LedgerTable")),
    )
