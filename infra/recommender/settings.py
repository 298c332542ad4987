"""Settings of the recommender of a stage."""

from dataclasses import dataclass
from typing import Annotated, Self

from infra.stage import FunctionSize, Positive, StageKind
from infra.typed_table import Between

_Share = Annotated[float, Between(0, 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommender:
    """Settings of inference and training; with `retrain`, a model that gets worse, or old, is trained anew by itself.

    `least_ndcg` is the NDCG@10 that a model must have whatever it had when it was trained, `least_of_training` the
    share that must be left of that.
    """

    retrain: bool = False
    least_ndcg: _Share = 0.0
    least_of_training: _Share = 0.9
    max_model_days: Positive = 30

    timeout_minutes: Positive = 240  # of an execution

    # Threshold of an alarm.
    late_minutes: Positive = 60

    begin_inference: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=120)
    extract_mart: FunctionSize = FunctionSize(memory_mb=3008, timeout_seconds=900)
    prepare_listens: FunctionSize = FunctionSize(memory_mb=3008, timeout_seconds=900)
    process_listens: FunctionSize = FunctionSize(memory_mb=3008, timeout_seconds=900)
    infer_recommendations: FunctionSize = FunctionSize(memory_mb=8192, timeout_seconds=900)
    evaluate_model: FunctionSize = FunctionSize(memory_mb=8192, timeout_seconds=900)
    keep_recommendations: FunctionSize = FunctionSize(memory_mb=2048, timeout_seconds=900)
    load_recommendations: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=900)
    record_inference: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=60)

    @classmethod
    def of(cls, kind: StageKind) -> Self:  # noqa: ARG003 - the same for all kinds
        """Return the settings of a kind of stage."""
        return cls()
