"""Log and metrics of a function; metrics are lines of the log, in CloudWatch's embedded metric format."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from aws_lambda_powertools import Logger
from aws_lambda_powertools.metrics import EphemeralMetrics

from sluice.aws.runtime import setting
from sluice.observability.metrics import COLD_STARTS, NAMESPACE, PLATFORM, Metric

P = ParamSpec("P")
R = TypeVar("R")


class MetricsEmitter:
    """Emits metrics of a function, with the dimensions stage and pipeline."""

    def __init__(self, pipeline: str | None = None) -> None:
        """Read the stage, and the pipeline unless it is given, from the environment."""
        # The service would become a third dimension; the function is a member of every log line already.
        self._sink = EphemeralMetrics(namespace=NAMESPACE, service="")
        named = pipeline or setting("PIPELINE")
        self._sink.set_default_dimensions(stage=setting("STAGE"), pipeline=named)
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


class LambdaFunction:
    """The log of a function, and its metrics."""

    def __init__(self) -> None:
        """Read the names of function, stage and pipeline from the environment."""
        self.logger = Logger()
        self.emitter = MetricsEmitter()

    def observe(self, handler: Callable[P, R]) -> Callable[P, R]:
        """Log calls of `handler` with their Lambda context, and emit what each of them added, however it ends."""
        return self.logger.inject_lambda_context(self.emitter.publish(handler))
