"""The two dashboards of a stage."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.platform.observability.business_rows import BusinessRows
from infra.platform.observability.console import dashboard_name
from infra.platform.observability.on_aws import OnAws
from infra.platform.observability.operations_rows import OperationsRows
from infra.stage import Stage

Rows = Sequence[Sequence[cloudwatch.IWidget]]


class Dashboards(Construct):
    """*Business*: what arrived, how clean, how fresh. *Operations*: what runs, how well, and what it costs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stage: Stage,
        on_aws: OnAws,
        business: BusinessRows,
        operations: OperationsRows,
    ) -> None:
        """Build both."""
        super().__init__(scope, construct_id)
        self._stage = stage
        self._build("Business", business.rows())
        self._build("Operations", operations.rows())
        on_aws.only(self)

    def _build(self, name: str, rows: Rows) -> None:
        cloudwatch.Dashboard(
            self,
            name,
            dashboard_name=dashboard_name(self._stage, name),
            default_interval=Duration.hours(8),
            period_override=cloudwatch.PeriodOverride.INHERIT,
            widgets=rows,
        )
