"""The service: an HTTP API before a function that reads the mart; who may call it, how often, and its access log."""

import json

from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from constructs import Construct

from infra.platform.mart import Mart
from infra.platform.pipeline_part import PipelineFunctions
from infra.platform.stage_stack import log_group, stage_of
from infra.recommender.settings import Recommender
from sluice.recommender.serving.answers import VIEWS

_LOGGED = (
    "requestId",
    "requestTime",
    "identity.sourceIp",
    "identity.userArn",
    "authorizer.claims.sub",
    "routeKey",
    "httpMethod",
    "path",
    "status",
    "responseLength",
    "responseLatency",
    "integrationErrorMessage",
    "error.message",
)


class Service(Construct):
    """One route for all paths: the function knows them, and describes them itself."""

    def __init__(self, functions: PipelineFunctions) -> None:
        super().__init__(functions, "Service")
        self._settings = settings = stage_of(self).settings(Recommender)
        self.function = functions.build(
            "serve_recommendations",
            "Answers what inference wrote",
            "postgres",
            "service",
            AUTHORISATION=settings.serve_authorisation,
        )
        Mart.of(self).let(self.function, {view: ["SELECT"] for view in VIEWS})
        self.api = apigateway.HttpApi(
            self,
            "Api",
            api_name=f"{stage_of(self).resource_prefix}-recommendations",
            description=f"Recommendations, stage {stage_of(self).name}",
            create_default_stage=False,
            default_authorizer=self._authorizer(),
            default_integration=integrations.HttpLambdaIntegration("Function", self.function.function),
        )
        self._build_stage()

    @property
    def url(self) -> str:
        """The address that paths are appended to."""
        return self.api.api_endpoint

    def _authorizer(self) -> apigateway.IHttpRouteAuthorizer:
        settings = self._settings
        if settings.serve_authorisation == "iam":
            return authorizers.HttpIamAuthorizer()
        return authorizers.HttpJwtAuthorizer(
            "Issuer", settings.serve_jwt_issuer, jwt_audience=[settings.serve_jwt_audience]
        )

    def _build_stage(self) -> None:
        """Build the stage, with its limits and the log of who called."""
        rate = self._settings.serve_requests_per_second
        log = log_group(self)
        apigateway.CfnStage(
            self,
            "Stage",
            api_id=self.api.api_id,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=rate, throttling_burst_limit=2 * rate
            ),
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log.log_group_arn, format=json.dumps({name: f"$context.{name}" for name in _LOGGED})
            ),
        )
