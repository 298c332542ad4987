"""API pulls: every day all rows of the application's API, in the lake and the mart."""

import json
from typing import cast

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.api_pull.functions import PullFunctions
from infra.api_pull.machine import PullMachine
from infra.api_pull.mart import MartFunctions
from infra.api_pull.observability import SAVED_QUERIES, panels, raise_alarms
from infra.api_pull.settings import ApiPull
from infra.platform.lake_part import LakePart
from infra.platform.observability.alarms import Alarms
from infra.platform.observability.widgets import Panels
from infra.platform.pipeline_part import PipelinePart
from infra.platform.stage_stack import acknowledge, removal_policy
from sluice.api_pull.contracts import contracts
from sluice.api_pull.model import DIRTY_PREFIX, RAW_PREFIX
from sluice.api_pull.pipeline import PIPELINE


class ApiPullPart(PipelinePart):
    """Schedule → Pull machine → the lake's tables TRACKS, USERS and LISTENS, and the mart."""

    pipeline = PIPELINE
    saved_queries = SAVED_QUERIES

    def __init__(self, scope: Construct, *, lake: LakePart) -> None:
        super().__init__(scope, lake=lake)
        settings = self.stage.settings(ApiPull)
        for contract in contracts().values():
            lake.catalog.add(self, contract.lake_table)
        lake.bucket.expire("RawPages", RAW_PREFIX, settings.raw_retention_days)
        lake.bucket.expire("DirtyRows", DIRTY_PREFIX, settings.dirty_retention_days)
        secret_arn = self._build_secret() if settings.has_header else ""
        self.steps = PullFunctions(self, self.state_table("Pulls"), secret_arn)
        self.pull = PullMachine(self, self.steps, MartFunctions(self.steps))
        self.add_machine(self.pull)
        self.schedule("EachDay", settings.schedule, self.pull, "Pulls all rows of the application's API")
        if secret_arn:
            self.publish(SourceSecret=secret_arn)

    def _build_secret(self) -> str:
        """Build a secret of the right form, for a person to fill, and return its ARN."""
        secret = secretsmanager.Secret(
            self,
            "SourceSecret",
            description=f"Sluice {self.stage.name}: header of requests to the application's API",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"header": ""}), generate_string_key="value", exclude_punctuation=True
            ),
            removal_policy=removal_policy(self.stage),
        )
        acknowledge(secret, "AwsSolutions-SMG4", "Whoever runs the API gives the header out: a person puts it in.")
        return cast("secretsmanager.CfnSecret", secret.node.default_child).attr_id

    def raise_alarms(self, alarms: Alarms) -> None:
        """Raise alarms on all that can go wrong, from the schedule to the mart."""
        raise_alarms(alarms, self.pull, self.missed_calls)

    def panels(self) -> Panels:
        """Return what came of the pulls."""
        return panels(self.stage, self.functions)
