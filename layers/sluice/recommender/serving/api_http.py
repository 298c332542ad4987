"""The service's HTTP API: routes, what they take, their OpenAPI document and its page, errors of one form."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any, Protocol

import orjson
from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.models import APIKey, HTTPBearer, SecurityScheme, Server
from aws_lambda_powertools.event_handler.openapi.params import Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse

from sluice.mart.model import MartUnavailableError
from sluice.recommender.serving.answers import (
    RETRY_AFTER_SECONDS,
    Detail,
    Health,
    ModelInProduction,
    Problem,
    Recommendations,
    Refusal,
    SimilarTracks,
    UnknownError,
)

IAM = "iam"
JWT = "jwt"
_REFUSALS = {IAM: 403, JWT: 401}

_Limit = Annotated[int, Query(ge=1, le=100, description="How many, at most: there are as many as inference wrote.")]
_Exclude = Annotated[
    Sequence[int], Query(max_length=100, description="Tracks that are not wanted: `exclude=1&exclude=2`.")
]


class Reading(Protocol):
    """What the service reads."""

    def recommendations(self, user: int, limit: int, exclude: Sequence[int]) -> Recommendations:
        """Return what a user is recommended."""

    def similar(self, track: int, limit: int) -> SimilarTracks:
        """Return what is similar to a track."""

    def model(self) -> ModelInProduction:
        """Return the model in production."""

    def ping(self) -> None:
        """Read something."""


def build(reading: Reading, logger: Logger, authorisation: str) -> APIGatewayHttpResolver:
    """Return the API; its document says how callers show who they are, which API Gateway checks."""
    api = APIGatewayHttpResolver(enable_validation=True)
    _add_routes(api, reading, authorisation)
    _add_document(api, authorisation)
    _add_errors(api, logger)
    return api


def _add_routes(api: APIGatewayHttpResolver, reading: Reading, authorisation: str) -> None:
    def answers(unknown: str = "") -> dict[int, OpenAPIResponse]:
        return _answers(unknown, _REFUSALS[authorisation])

    @api.get("/users/<user_id>/recommendations", summary="What a user is recommended", responses=answers("user"))
    def recommendations(user_id: int, limit: _Limit = 10, exclude: _Exclude = ()) -> Recommendations:
        return reading.recommendations(user_id, limit, exclude)

    @api.get("/tracks/<track_id>/similar", summary="What is similar to a track", responses=answers("track"))
    def similar(track_id: int, limit: _Limit = 10) -> SimilarTracks:
        return reading.similar(track_id, limit)

    @api.get("/model", summary="The model in production", responses=answers("model"))
    def model() -> ModelInProduction:
        return reading.model()

    @api.get("/health", summary="Whether the service and its mart answer", responses=answers())
    def health() -> Health:
        reading.ping()
        return Health("ok")


def _answers(unknown: str, refusal: int) -> dict[int, OpenAPIResponse]:
    """Return the errors of a route as its document has them."""
    said = {
        refusal: "API Gateway lets nobody in with these credentials",
        422: "A parameter is wrong",
        500: "The service failed",
        503: "The mart sleeps: ask again",
    }
    said |= {404: f"There is no such {unknown}"} if unknown else {}
    found: dict[int, OpenAPIResponse] = {
        status: {"description": said[status], "content": {"application/json": {"model": Problem}}}
        for status in sorted(said)
    }
    found[refusal]["content"] = {"application/json": {"model": Refusal}}
    found[503]["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    return {200: {"description": "It is answered"}, **found}


def _add_document(api: APIGatewayHttpResolver, authorisation: str) -> None:
    described: dict[str, Any] = {
        "title": "Recommendations",
        "version": "1",
        "description": "What inference wrote after the last pull: recommendations of each user, similar tracks.",
        "servers": [Server(url="/")],
        "security_schemes": {authorisation: _SCHEMES[authorisation]},
        "security": [{authorisation: []}],
    }
    api.enable_swagger(path="/swagger", compress=True, **described)

    @api.get("/openapi.json", include_in_schema=False)
    def document() -> Response[str]:
        return Response(HTTPStatus.OK, content_types.APPLICATION_JSON, api.get_openapi_json_schema(**described))


_SCHEMES: dict[str, SecurityScheme] = {
    IAM: APIKey.model_validate(
        {"in": "header", "name": "Authorization", "description": "AWS Signature Version 4, service execute-api"}
    ),
    JWT: HTTPBearer(bearerFormat="JWT"),
}


def _add_errors(api: APIGatewayHttpResolver, logger: Logger) -> None:
    """Answer every error in one form; what is inside goes into the log."""

    def wrong(error: RequestValidationError) -> Response[str]:
        details = [Detail(".".join(map(str, each["loc"])), each["msg"]) for each in error.errors()]
        return _problem(422, Problem("wrong_parameter", "A parameter of the request is wrong.", details))

    def unknown(error: UnknownError) -> Response[str]:
        return _problem(404, Problem("unknown", str(error)))

    def no_route(_error: NotFoundError) -> Response[str]:
        if api.current_event.http_method != "GET":
            return _problem(405, Problem("wrong_method", "The service reads only: GET."), {"Allow": "GET"})
        return _problem(404, Problem("no_route", "There is nothing at this path; /swagger says what there is."))

    def asleep(error: MartUnavailableError) -> Response[str]:
        logger.warning("the mart does not answer", extra={"cause": str(error)})
        problem = Problem("mart_unavailable", "The mart does not answer; it may be waking up. Ask again.")
        return _problem(503, problem, {"Retry-After": str(RETRY_AFTER_SECONDS)})

    def failed(error: Exception) -> Response[str]:
        logger.error("the request failed", exc_info=error)
        return _problem(500, Problem("failed", "The service failed; its log says why."))

    answers: dict[type[Exception], Callable[[Any], Response[str]]] = {
        RequestValidationError: wrong,
        UnknownError: unknown,
        NotFoundError: no_route,
        MartUnavailableError: asleep,
        Exception: failed,
    }
    for kind, answer in answers.items():
        api.exception_handler(kind)(answer)


def _problem(status: int, problem: Problem, headers: dict[str, str | list[str]] | None = None) -> Response[str]:
    return Response(status, content_types.APPLICATION_JSON, orjson.dumps(asdict(problem)).decode(), headers)
