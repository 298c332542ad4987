"""Settings of the recommender of a stage."""

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from infra.stage import FunctionSize, Positive, StageKind
from infra.typed_table import Between, Matching

_Issuer = Annotated[
    str,
    Matching(
        r"(https://[^@\s]+)?", '"https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc123", as tokens say it'
    ),
]
_Share = Annotated[float, Between(0, 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommender:
    """Settings of inference and training; with `retrain`, a model that gets worse, or old, is trained anew by itself.

    `least_ndcg` is the NDCG@10 that a model must have whatever it had when it was trained, `least_of_training` the
    share that must be left of that. With `mlflow_app`, models are registered in an MLflow App of SageMaker instead of a
    file of the lake.
    """

    retrain: bool = False
    mlflow_app: bool = False
    least_ndcg: _Share = 0.0
    least_of_training: _Share = 0.9
    max_model_days: Positive = 30

    timeout_minutes: Positive = 240  # of an execution

    # Thresholds of alarms.
    late_minutes: Positive = 60
    slow_milliseconds: Positive = 3000  # of the slowest hundredth of the service's answers

    # Of the service: callers are known by IAM, or by JSON Web Tokens of an issuer for an audience.
    serve_authorisation: Literal["iam", "jwt"] = "iam"
    serve_jwt_issuer: _Issuer = ""
    serve_jwt_audience: str = ""
    serve_requests_per_second: Positive = 50  # of all callers; for a moment twice as many

    begin_inference: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=120)
    extract_mart: FunctionSize = FunctionSize(memory_mb=3008, timeout_seconds=900)
    prepare_listens: FunctionSize = FunctionSize(memory_mb=3008, timeout_seconds=900)
    process_listens: FunctionSize = FunctionSize(memory_mb=3008, timeout_seconds=900)
    infer_recommendations: FunctionSize = FunctionSize(memory_mb=8192, timeout_seconds=900)
    evaluate_model: FunctionSize = FunctionSize(memory_mb=8192, timeout_seconds=900)
    keep_recommendations: FunctionSize = FunctionSize(memory_mb=2048, timeout_seconds=900)
    load_recommendations: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=900)
    record_inference: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=60)
    begin_training: FunctionSize = FunctionSize(memory_mb=512, timeout_seconds=120)
    train_model: FunctionSize = FunctionSize(memory_mb=8192, timeout_seconds=900)
    register_model: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=300)
    promote_model: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=300)
    record_training: FunctionSize = FunctionSize(memory_mb=256, timeout_seconds=60)
    serve_recommendations: FunctionSize = FunctionSize(memory_mb=1024, timeout_seconds=25)

    def __post_init__(self) -> None:
        """Refuse tokens that nothing is known of. Raises ValueError: issuer or audience is missing."""
        if self.serve_authorisation == "jwt" and not (self.serve_jwt_issuer and self.serve_jwt_audience):
            raise ValueError('with serve_authorisation = "jwt", serve_jwt_issuer and serve_jwt_audience are needed')

    @classmethod
    def of(cls, kind: StageKind) -> Self:  # noqa: ARG003 - the same for all kinds
        """Return the settings of a kind of stage."""
        return cls()
