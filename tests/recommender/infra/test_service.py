"""The service's API: nobody calls it unknown, too often or unnoticed."""

import json
from pathlib import Path

import pytest

from infra.recommender.settings import Recommender
from tests.support.stages import stage_named
from tests.support.synthesis import Synthesis, synthesise, text

ISSUER = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abc"
BY_TOKEN = Recommender(
    serve_authorisation="jwt", serve_jwt_issuer=ISSUER, serve_jwt_audience="app", serve_requests_per_second=7
)
API = "AWS::ApiGatewayV2::"


def test_callers_are_known_by_iam_and_logged(dev: Synthesis) -> None:
    (route,) = dev.template.of_type(f"{API}Route").values()
    assert (route["Properties"]["RouteKey"], route["Properties"]["AuthorizationType"]) == ("$default", "AWS_IAM")
    stage = dev.template.properties(f"{API}Stage", "Recommender")
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100}
    assert "ServiceLog" in text(stage["AccessLogSettings"]["DestinationArn"])
    logged = json.loads(stage["AccessLogSettings"]["Format"]).values()
    assert {"$context.identity.userArn", "$context.authorizer.claims.sub", "$context.status"} <= {*logged}
    assert "CorsConfiguration" not in dev.template.properties(f"{API}Api", "Recommender")
    assert dev.function("serve_recommendations")["Environment"]["Variables"]["AUTHORISATION"] == "iam"


def test_only_this_api_may_call_the_function(dev: Synthesis) -> None:
    (permission,) = (
        each["Properties"]
        for each in dev.template.of_type("AWS::Lambda::Permission").values()
        if "ServeRecommendations" in text(each["Properties"]["FunctionName"])
    )
    assert permission["Principal"] == "apigateway.amazonaws.com"
    (api,) = dev.template.of_type(f"{API}Api")
    assert f"<{api}>/" in text(permission["SourceArn"])


def test_callers_are_known_by_tokens_of_an_issuer(tmp_path: Path) -> None:
    stage = synthesise(stage_named("dev").having(BY_TOKEN), tmp_path)
    authorizer = stage.template.properties(f"{API}Authorizer", "Recommender")
    assert authorizer["AuthorizerType"] == "JWT"
    assert authorizer["JwtConfiguration"] == {"Issuer": ISSUER, "Audience": ["app"]}  # expired ones are refused by it
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    (route,) = stage.template.of_type(f"{API}Route").values()
    assert route["Properties"]["AuthorizationType"] == "JWT"
    assert "AuthorizerId" in route["Properties"]
    assert stage.function("serve_recommendations")["Environment"]["Variables"]["AUTHORISATION"] == "jwt"
    assert stage.template.properties(f"{API}Stage", "Recommender")["DefaultRouteSettings"]["ThrottlingRateLimit"] == 7


def test_tokens_of_nobody_are_refused() -> None:
    with pytest.raises(ValueError, match="serve_jwt_issuer and serve_jwt_audience are needed"):
        Recommender(serve_authorisation="jwt", serve_jwt_issuer=ISSUER)
