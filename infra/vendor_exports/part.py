"""Vendor exports: every hour's delivery fetched and proven complete, and its history kept."""

import json
from collections.abc import Mapping
from typing import cast

from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.platform.functions import PythonFunction
from infra.platform.lake_part import LakePart
from infra.platform.observability.alarms import Alarms
from infra.platform.observability.widgets import Panels
from infra.platform.pipeline_part import PipelinePart
from infra.platform.stage_stack import acknowledge, removal_policy
from infra.vendor_exports.functions import ExportFunctions
from infra.vendor_exports.machine import ExportMachine, HistoryMachine
from infra.vendor_exports.observability import SAVED_QUERIES, panels, raise_alarms
from infra.vendor_exports.settings import VendorExports
from sluice.vendor_exports.client.api import PLACEHOLDER
from sluice.vendor_exports.completeness.history_files import HISTORY_TABLES, state_key
from sluice.vendor_exports.pipeline import PIPELINE


class VendorExportsPart(PipelinePart):
    """Schedule → Export machine → lake and histories; the History machine for hours before the first delivery."""

    pipeline = PIPELINE
    saved_queries = SAVED_QUERIES

    def __init__(self, scope: Construct, *, lake: LakePart) -> None:
        super().__init__(scope, lake=lake)
        self._settings = self.stage.settings(VendorExports)
        self.slots = self.state_table("Slots")
        self._secret_arn = self._build_secret()
        for table in HISTORY_TABLES:
            lake.catalog.add(self, table)
        self.steps = ExportFunctions(self, self.slots, self._secret_arn)
        self.export = ExportMachine(self, self.steps)
        self.add_machine(self.export)
        self.add_machine(HistoryMachine(self, self.steps))
        self.schedule(
            "EachHour", self._settings.schedule, self.export, "Has the vendor export the hour, and fetches it"
        )
        self.publish(
            SlotsTable=self.slots.table_name,
            VendorSecret=self._secret_arn,
            UpdateHistoryFunction=self.steps.update_history.name,
            ExportEnvironment=self._settings.environment.value,
        )

    def _build_secret(self) -> str:
        """Build a secret of the right form, for a person to fill, and return its ARN; no credential is in a template.

        It has no name of ours: one that outlived its stack would block the next.
        """
        secret = secretsmanager.Secret(
            self,
            "VendorSecret",
            description=f"Sluice {self.stage.name}: credentials of the Veson data lake, the vendor's in place of these",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"Veson_client_id": PLACEHOLDER}),
                generate_string_key="Veson_client_secret",
                exclude_punctuation=True,
            ),
            removal_policy=removal_policy(self.stage),
        )
        by_hand = "The vendor rotates its credentials itself and offers no call for it: a person puts the new ones in."
        acknowledge(secret, "AwsSolutions-SMG4", by_hand)
        return cast(
            "secretsmanager.CfnSecret", secret.node.default_child
        ).attr_id  # in the local cloud, Ref is its name

    def raise_alarms(self, alarms: Alarms) -> None:
        """Raise alarms on all that can go wrong, from the schedule to the delivery."""
        raise_alarms(alarms, self.steps, self.export, self.missed_calls, self._secret_arn)

    def panels(self) -> Panels:
        """Return what the vendor delivered."""
        return panels(self.stage, self.functions)

    def digest_settings(self) -> Mapping[str, str]:
        """Return the flow of the exports and the tables that are not expected."""
        return {
            "environment": self._settings.environment.value,
            "out_of_scope": ",".join(self._settings.out_of_scope),
        }

    def allow_digest(self, function: PythonFunction) -> None:
        """Let the digest's function read the observations of the exports."""
        function.allow(["s3:GetObject"], [f"{self.lake.bucket.bucket_arn}/{state_key(self._settings.environment)}"])
