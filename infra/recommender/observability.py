"""Saved queries, dashboard panels and alarms of the recommender, and what a person does about each alarm."""

from collections.abc import Mapping, Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs

from infra.platform.functions import PythonFunction
from infra.platform.machine import Machine
from infra.platform.observability.alarms import Advice, Alarms, Periods
from infra.platform.observability.cloudwatch import HOUR, combined, function_page, machine_page, of_api, of_machine, own
from infra.platform.observability.saved_queries import ERRORS, Query
from infra.platform.observability.settings import Observability
from infra.platform.observability.widgets import PERCENTILES, THIRD, WHOLE, Panels, graph, heading, limit, table, value
from infra.recommender.service import Service
from infra.recommender.settings import Recommender
from infra.stage import Stage
from sluice.observability.metrics import Metric
from sluice.recommender import metrics
from sluice.recommender.pipeline import PIPELINE
from sluice.recommender.run_summary import INFER
from sluice.recommender.training_summary import RETRAIN

INFERENCES = Query(
    "Inferences",
    'filter message = "recorded"'
    " | fields @timestamp, snapshot, model_version, users, recommendations, ndcg_at_10, popularity_ndcg_at_10, retrain"
    " | sort @timestamp desc | limit 48",
    "record_inference",
)
ANSWERS = Query(
    "Answers of the service that are errors",
    'filter message in ["the mart does not answer", "the request failed"]'
    " | fields @timestamp, message, cause, exception | sort @timestamp desc | limit 48",
    "serve_recommendations",
)
SAVED_QUERIES = (INFERENCES, ANSWERS)

_LEAST_CALLS = 20  # fewer are no ratio
_UNTIL_THE_NEXT_DAY = Periods(1, 24)
_TWO_DAYS = Periods(2, 2)  # a pull shortly before midnight is followed by an inference shortly after


def panels(stage: Stage, functions: Sequence[PythonFunction], service: Service) -> Panels:
    """Return how good recommendations are, how many there are, and how the service answers."""

    def shown(*names: Metric, statistic: str = "Maximum") -> list[cloudwatch.Metric]:
        return [own(stage, metric, PIPELINE.name, statistic, HOUR) for metric in names]

    (ndcg,) = shown(metrics.NDCG)
    gain = (metrics.NDCG, metrics.POPULARITY_NDCG, metrics.DAY_NDCG, metrics.CANDIDATE_NDCG, metrics.THRESHOLD)
    oldest = limit(stage.settings(Recommender).max_model_days, "trained anew")
    trainings = shown(metrics.MODELS_TRAINED, metrics.MODELS_PROMOTED, statistic="Sum")
    calls = [of_api(service.api.api_id, name) for name in ("Count", "4xx", "5xx")]
    latency = [of_api(service.api.api_id, "Latency", percentile) for percentile in PERCENTILES]
    return Panels(
        business_figures=[value("NDCG@10", ndcg, of_range=False)],
        business=[
            [heading("Recommender")],
            [
                graph("NDCG@10, beside popular tracks", shown(*gain)),
                graph("Recall, hits, coverage", shown(metrics.RECALL, metrics.HIT_RATE, metrics.COVERAGE)),
                graph("Users with recommendations", shown(metrics.USERS_SERVED)),
            ],
            [
                graph("Age of the model", shown(metrics.MODEL_AGE), unit="days", lines=[oldest]),
                graph("Calls of the service", calls),
                graph("Latency of the service", latency, unit="ms"),
            ],
            [graph("Trainings", trainings), table(INFERENCES, functions, width=WHOLE - THIRD)],
        ],
        operations=[[heading("Recommender")], [table(ANSWERS, functions, width=WHOLE)]],
    )


def raise_alarms(
    alarms: Alarms, machines: Mapping[str, Machine], pulls_arn: str, missed_calls: sqs.IQueue, service: Service
) -> None:
    """Raise alarms on inference, models and the service; `pulls_arn` is the machine that inference follows."""
    alarms.on_letters(
        "InferCallsWaiting",
        [missed_calls],
        "Inference could not be started after a pull: people are shown what was recommended before.",
        (
            "Look at the message in the dead letter queue: what does Step Functions say?",
            "Mend it, usually with `sluice deploy`.",
            "`sluice recommend run`. Then purge the queue.",
        ),
        INFERENCES,
    )
    alarms.on_failed_runs(
        "InferFailed",
        machines[INFER],
        "An inference failed, ran out of time or was aborted: people are shown what was recommended before.",
        (
            "`sluice runs --kind infer`: which state, which cause?",
            "Mend the cause: the mart, memory of a function, a model's file.",
            "`sluice recommend run`; repeating it is always harmless.",
        ),
        INFERENCES,
        periods=_UNTIL_THE_NEXT_DAY,
        period=HOUR,
    )
    alarms.on_failed_runs(
        "RetrainFailed",
        machines[RETRAIN],
        "A training failed, ran out of time or was aborted: the model in production stays.",
        (
            "`sluice runs --kind retrain`: which state, which cause?",
            "Mend the cause: memory or time of a function, the registry's store.",
            "`sluice recommend train`; repeating it is always harmless.",
        ),
        INFERENCES,
        periods=_UNTIL_THE_NEXT_DAY,
        period=HOUR,
    )
    _on_time(alarms, machines[INFER], pulls_arn)
    _on_models(alarms, machines)
    _on_service(alarms, service)


def _on_time(alarms: Alarms, machine: Machine, pulls_arn: str) -> None:
    minutes = alarms.stage.settings(Recommender).late_minutes
    late = Advice(
        meaning=f"An inference took more than {minutes} minutes.",
        steps=(
            "Which step? `sluice run` of the inference shows the seconds of each.",
            "More users, tracks or listens than before? See what fits, in docs/recommender.md, Growth.",
            "Raise memory_mb of that step's function, which brings CPU.",
        ),
        console=machine_page(machine),
        query=INFERENCES,
    )
    took = of_machine(machine, "ExecutionTime", "Maximum", HOUR)
    alarms.above("InferLate", took, 60_000 * minutes, late, periods=_UNTIL_THE_NEXT_DAY)
    absent = Advice(
        meaning="For two days, pulls were complete that no inference followed: recommendations are old.",
        steps=(
            "Is the rule AfterPulls enabled (EventBridge)? Do its calls wait: InferCallsWaiting?",
            "Do inferences run and fail: see InferFailed.",
            "`sluice recommend run` makes up for it.",
        ),
        console=machine_page(machine),
        query=INFERENCES,
    )
    day = Duration.days(1)
    ends = of_machine(machine, "ExecutionsSucceeded", period=day)
    pulls = ends.with_(dimensions_map={"StateMachineArn": pulls_arn})
    lacking = combined(
        "pulls - FILL(inferences, 0)", {"pulls": pulls, "inferences": ends}, "pulls without an inference", day
    )
    alarms.above("InferAbsent", lacking, 0, absent, periods=_TWO_DAYS)


def _on_models(alarms: Alarms, machines: Mapping[str, Machine]) -> None:
    def hourly(metric: Metric) -> cloudwatch.Metric:
        return own(alarms.stage, metric, PIPELINE.name, "Maximum", HOUR)

    worse = Advice(
        meaning="NDCG@10 of the model in production is under its threshold: tastes moved on, or the data changed.",
        steps=(
            "`sluice status`, and the digest: since when, and how far from the popular tracks?",
            "Is the data whole? `sluice runs --kind pull`; a broken pull makes every model look bad.",
            "`sluice recommend train`; the stage's setting `retrain` does that by itself.",
        ),
        console=machine_page(machines[INFER]),
        query=INFERENCES,
    )
    figures = {"ndcg": hourly(metrics.NDCG), "least": hourly(metrics.THRESHOLD)}
    under = combined("IF(least > ndcg, 1, 0)", figures, "under the threshold", HOUR)
    alarms.above("ModelWorse", under, 0, worse, periods=_UNTIL_THE_NEXT_DAY)
    broken = Advice(
        meaning="The file of the model in production is missing or corrupt: an earlier model recommends, or none.",
        steps=(
            "Which? `sluice models list`; its file is below recommender/models/ in the lake bucket.",
            "Restore the object's earlier version, if the bucket has one.",
            "Else `sluice models rollback`, or `sluice recommend train`; then `sluice recommend run`.",
        ),
        console=machine_page(machines[INFER]),
        query=ERRORS,
    )
    alarms.above("ModelBroken", hourly(metrics.MODEL_FAULTS), 0, broken, periods=_UNTIL_THE_NEXT_DAY)


def _on_service(alarms: Alarms, service: Service) -> None:
    stage, page = alarms.stage, function_page(service.function)
    percent = stage.settings(Observability).error_percent
    failing = Advice(
        meaning=f"More than {percent:g} % of the service's answers are errors of ours.",
        steps=(
            "Which errors? The query, or the last lines of serve_recommendations.",
            "503: the mart does not answer; is its cluster there, does `sluice mart query` work?",
            "After a deployment: go back to the version before, then look on.",
        ),
        console=page,
        query=ANSWERS,
    )
    calls = {name: of_api(service.api.api_id, shown) for name, shown in (("calls", "Count"), ("errors", "5xx"))}
    share = combined(f"IF(calls >= {_LEAST_CALLS}, 100 * errors / calls, 0)", calls, "errors, % of answers")
    alarms.above("ServiceFailing", share, percent, failing)
    most = stage.settings(Recommender).slow_milliseconds
    slow = Advice(
        meaning=f"One answer of the service in a hundred takes more than {most} ms.",
        steps=(
            "Cold starts? Few calls are mostly these; the query `cold starts` counts them.",
            "The mart: see the traces of serve_recommendations.",
            "Raise memory_mb of serve_recommendations, which brings CPU.",
        ),
        console=page,
        query=ANSWERS,
    )
    alarms.above("ServiceSlow", of_api(service.api.api_id, "Latency", "p99"), most, slow)
