"""Metrics by CloudWatch's embedded metric format: a line of the log that CloudWatch counts."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from aws_lambda_powertools.metrics import EphemeralMetrics

from sluice.aws.environment import read_settings
from sluice.observability.metrics import COLD_STARTS, NAMESPACE, Metric, Pipeline

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Settings:
    stage: str
    pipeline: str


class Meter:
    """Counts what a function does, for its own pipeline unless another is named."""

    def __init__(self, pipeline: Pipeline | None = None) -> None:
        """Read stage and pipeline from the environment."""
        settings = read_settings(_Settings)
        self._pipeline = pipeline or Pipeline(settings.pipeline)
        # The service would become a third dimension; the function is a member of every log line already.
        self._sink = EphemeralMetrics(namespace=NAMESPACE, service="")
        self._sink.set_default_dimensions(stage=settings.stage, pipeline=self._pipeline.value)
        self._cold = True

    def add(self, metric: Metric, value: float) -> None:
        """Count; a rare metric only when there is something to count.

        Raises:
            ValueError: The metric is none of this pipeline.
        """
        if self._pipeline not in metric.pipelines:
            raise ValueError(f"{metric.name} is no metric of {self._pipeline}")
        if value or not metric.rare:
            self._sink.add_metric(name=metric.name, unit=metric.unit, value=value)

    def publish(self, handler: Callable[P, R]) -> Callable[P, R]:
        """Write what a call of `handler` counted, however it ends."""

        @functools.wraps(handler)
        def counted(*args: P.args, **kwargs: P.kwargs) -> R:
            if self._cold:
                self._cold = False
                self.add(COLD_STARTS, 1)
            try:
                return handler(*args, **kwargs)
            finally:
                self.flush()

        return counted

    def flush(self) -> None:
        """Write what was counted since the last time."""
        if self._sink.metric_set:
            self._sink.flush_metrics()
