"""The service on a real PostgreSQL, with what inference wrote."""

import pytest
from aws_lambda_powertools import Logger

from sluice.mart.model import Role
from sluice.mart.roles_postgres import grant
from sluice.recommender.inference import Inference
from sluice.recommender.mart.recommendations_postgres import (
    FIGURES,
    RECOMMENDATIONS,
    SIMILAR,
    begin,
    migrations,
    publish,
    write_rows,
)
from sluice.recommender.serving.answers import VIEWS
from sluice.recommender.serving.api_http import JWT, build
from sluice.recommender.serving.reading_postgres import PostgresReading
from tests.api_pull.integration.mart.loading import load_day, prepare
from tests.recommender.integration.serving.api_gateway import Handler
from tests.support.mart_server import MartServer

TRACKS, USERS, LISTENS = [10, 11, 12, 13], [1, 2, 3], [(1, 1, 10)]
GONE = 99
RECOMMENDED = [  # user, rank, track, score, popular
    *((1, rank, track, 1 / rank, False) for rank, track in enumerate((10, GONE, 11, 12, 13), start=1)),
    (2, 1, 13, 0.5, True),
]
SIMILAR_TO_10 = [(10, 1, 11, 0.9), (10, 2, GONE, 0.8), (10, 3, 12, 0.5)]
INFERENCE = Inference("20261130-0", "2026-11-30", "2026-11-30T03:00:00+00:00", "m1")
ROLE = "serve_recommendations"


@pytest.fixture
def inferred(dsql: MartServer) -> MartServer:
    """A mart where user 1 heard track 10, and inference recommended that, one that went, and three others."""
    mart = prepare(dsql)
    dsql.migrate(migrations())
    load_day(mart, "monday", TRACKS, USERS, LISTENS)
    inference = begin(mart, INFERENCE, dict.fromkeys(FIGURES, 0.5))
    for table, names, rows in (
        (RECOMMENDATIONS, ("user_id", "rank", "track_id", "score", "popular"), RECOMMENDED),
        (SIMILAR, ("track_id", "rank", "other_id", "score"), SIMILAR_TO_10),
    ):
        write_rows(mart, table, inference, dict(zip(names, zip(*rows, strict=True), strict=True)))
    publish(mart, inference)
    may = Role(ROLE, "arn:aws:iam::123456789012:role/serve", frozenset(("SELECT", view) for view in VIEWS))
    grant(mart, [may], dsql.schema)
    return dsql


@pytest.fixture
def service(inferred: MartServer) -> Handler:
    return build(PostgresReading(inferred.mart(ROLE)), Logger(), JWT).resolve
