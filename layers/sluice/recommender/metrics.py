"""Metrics of the functions that recommend and train."""

from sluice.observability.metrics import Metric

NDCG = Metric("Ndcg", "None", "NDCG@10 of the model in production, on pairs that no model knows.")
RECALL = Metric("Recall", "None", "Recall@10 of it.")
HIT_RATE = Metric("HitRate", "None", "Users with a hit among the first ten, as a share of all.")
COVERAGE = Metric("Coverage", "None", "Tracks that anybody is recommended, as a share of all.")
POPULARITY_NDCG = Metric("PopularityNdcg", "None", "NDCG@10 of what most listen to.")
DAY_NDCG = Metric("DayNdcg", "None", "NDCG@10 of what was heard since, in what was recommended before.")
THRESHOLD = Metric("NdcgThreshold", "None", "NDCG@10 under which the model is to be trained anew.")
USERS_SERVED = Metric("UsersServed", "Count", "Users who have recommendations.")
MODEL_AGE = Metric("ModelAge", "None", "Days since the model in production was trained.")
MODEL_FAULTS = Metric("ModelFaults", "Count", "Models in production whose file is missing or corrupt.", rare=True)
MODELS_TRAINED = Metric("ModelsTrained", "Count", "Candidates that were trained.", rare=True)
MODELS_PROMOTED = Metric("ModelsPromoted", "Count", "Of these, those that came into production.", rare=True)
CANDIDATE_NDCG = Metric("CandidateNdcg", "None", "NDCG@10 of a candidate, on the same pairs.", rare=True)

METRICS = tuple(value for value in list(globals().values()) if isinstance(value, Metric))
"""Registration of a pipeline's own metrics."""
