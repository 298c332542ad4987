"""Metrics by CloudWatch's embedded metric format: a line of the log that CloudWatch counts."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

from aws_lambda_powertools.metrics import EphemeralMetrics

from sluice.aws.runtime import read_settings
from sluice.observability.metrics import COLD_STARTS, NAMESPACE, PLATFORM, Metric

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Settings:
    stage: str
    pipeline: str


class MetricsEmitter:
    """Emits metrics of a function, with the dimensions stage and pipeline."""

    def __init__(self, pipeline: str | None = None) -> None:
        """Read the stage, and the pipeline unless it is given, from the environment."""
        settings = read_settings(_Settings)
        # The service would become a third dimension; the function is a member of every log line already.
        self._sink = EphemeralMetrics(namespace=NAMESPACE, service="")
        named = pipeline or settings.pipeline
        self._sink.set_default_dimensions(stage=settings.stage, pipeline=named)
        # Those of the platform are not worth a metric of their own: the saved query "cold starts" has them.
        self._cold = named != PLATFORM

    def add(self, metric: Metric, value: float) -> None:
        """Add a value to what is emitted next; a rare metric's only if it is not 0."""
        if value or not metric.rare:
            self._sink.add_metric(name=metric.name, unit=metric.unit, value=value)

    def publish(self, handler: Callable[P, R]) -> Callable[P, R]:
        """Emit what a call of `handler` added, however it ends."""

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
        """Write what was added since the last time to the log."""
        if self._sink.metric_set:
            self._sink.flush_metrics()
