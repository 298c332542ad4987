"""The recommender's alarms over figures of some days: when they ring, and when they do not."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from sluice.observability.metrics import NAMESPACE
from sluice.recommender.pipeline import PIPELINE
from tests.platform.infra.observability.observability_template import ObservabilityTemplate
from tests.support.cloudwatch.definitions import Alarms, read_alarms
from tests.support.cloudwatch.evaluation import ALARM, evaluate
from tests.support.cloudwatch.series import Metric, Point, Series
from tests.support.synthesis import Synthesis

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
MACHINES = "AWS/States", "ExecutionsSucceeded"


@pytest.fixture(scope="module")
def alarms(request: pytest.FixtureRequest) -> Alarms:
    prd: Synthesis = request.getfixturevalue("synthesis_of")("prd")
    read = read_alarms(ObservabilityTemplate(prd))
    return Alarms({name: each for name, each in read.metric.items() if name.startswith("Recommender")})


def ringing(alarms: Alarms, *figures: tuple[Metric, float, float]) -> set[str]:
    """Names of the alarms that ring when metrics have values so many hours ago."""
    points = [(metric, Point((NOW - timedelta(hours=ago)).timestamp(), value)) for metric, ago, value in figures]
    states = evaluate(alarms, Series(points), NOW)
    return {name.removeprefix("Recommender") for name, state in states.items() if state == ALARM}


def own(name: str) -> Metric:
    return Metric.of(NAMESPACE, name, {"stage": "prd", "pipeline": PIPELINE.name})


@pytest.mark.parametrize(
    ("ndcg", "faults", "expected"),
    [(0.21, 0, set()), (0.2, 0, set()), (0.19, 0, {"ModelWorse"}), (0.21, 1, {"ModelBroken"})],
)
def test_a_model_under_its_threshold_or_without_its_file(
    alarms: Alarms, ndcg: float, faults: int, expected: set[str]
) -> None:
    figures = {"Ndcg": ndcg, "NdcgThreshold": 0.2, **({"ModelFaults": faults} if faults else {})}
    assert ringing(alarms, *((own(name), 5, value) for name, value in figures.items())) == expected


@pytest.mark.parametrize(
    ("inferences", "expected"),
    [((20, 44), set()), ((9, 33), set()), ((44,), set()), ((), {"InferAbsent"})],
    ids=["each day", "after midnight", "but today", "for two days"],
)
def test_pulls_that_no_inference_follows(alarms: Alarms, inferences: tuple[int, ...], expected: set[str]) -> None:
    ends: Mapping[str, Metric] = {
        query.id: query.metric for query in alarms.metric["RecommenderInferAbsent"].queries if query.metric
    }
    pulls = [(ends["pulls"], ago, 1.0) for ago in (21, 45)]
    assert ringing(alarms, *pulls, *((ends["inferences"], ago, 1.0) for ago in inferences)) == expected


def test_few_errors_of_the_service_are_no_share(alarms: Alarms) -> None:
    of = {query.id: query.metric for query in alarms.metric["RecommenderServiceFailing"].queries if query.metric}
    last = (1 / 60, 6 / 60)
    for calls, errors, expected in ((100, 6, {"ServiceFailing"}), (100, 5, set()), (19, 19, set())):
        figures = [(of[name], ago, value) for ago in last for name, value in (("calls", calls), ("errors", errors))]
        assert ringing(alarms, *figures) == expected


def test_inference_that_takes_long_and_one_that_fails(alarms: Alarms) -> None:
    (late,) = [query.metric for query in alarms.metric["RecommenderInferLate"].queries if query.metric]
    assert ringing(alarms, (late, 5, 61 * 60_000)) == {"InferLate"}
    assert ringing(alarms, (late, 5, 59 * 60_000)) == set()
    for metric in [query.metric for query in alarms.metric["RecommenderInferFailed"].queries if query.metric]:
        assert ringing(alarms, (metric, 20, 1)) == {"InferFailed"}, "until the next day's"
