"""Objects of an inference that its steps hand on, and the document of what became of it."""

from collections.abc import Mapping
from typing import Any

from sluice.recommender.inference import Inference

RECOMMENDED, SIMILAR, EVALUATION = "recommended-", "similar-", "evaluation.json"


def recommended_key(inference: Inference, part: int) -> str:
    """Return the key of a part of the recommendations: an object of columns."""
    return inference.key(f"{RECOMMENDED}{part:05}.json")


def similar_key(inference: Inference, part: int) -> str:
    """Return the key of a part of the tracks that are like others."""
    return inference.key(f"{SIMILAR}{part:05}.json")


def figures_of(evaluation: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of an evaluation, a JSON document, by the names that tables have."""
    return {
        **evaluation["metrics"],
        "threshold": evaluation["verdict"]["threshold"],
        "day_users": evaluation["day_users"],
        "day_ndcg_at_10": evaluation["day"]["ndcg_at_10"],
    }


def document_of(inference: Inference, counts: Mapping[str, int], evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """Return what became of an inference."""
    return {
        "inference_id": inference.inference_id,
        "snapshot": inference.snapshot,
        "model_version": inference.model_version,
        "users": counts["users"],
        "popular_users": counts["popular_users"],
        "recommendations": counts["recommendations"],
        "metrics": evaluation["metrics"],
        "day": {"users": evaluation["day_users"], **evaluation["day"]},
        "threshold": evaluation["verdict"]["threshold"],
        "retrain": evaluation["verdict"]["retrain"],
        "reason": evaluation["verdict"]["reason"],
    }
