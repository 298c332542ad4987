"""A notebook instance of SageMaker: it has the project's notebooks, reads the stage's tables, and writes none."""

from pathlib import Path

from aws_cdk import ArnFormat, Fn, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from infra.platform.catalog import QUERY_RESULTS
from infra.platform.functions import allow
from infra.platform.lake_part import LakePart
from infra.platform.stage_stack import Part, acknowledge
from infra.stage import Notebook
from sluice.lake.object_store import table_prefix

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[2]
_PROGRAMS = "/usr/local/bin"


class NotebookPart(Part):
    """An instance that anybody opens whom the account lets call `sagemaker:CreatePresignedNotebookInstanceUrl`."""

    def __init__(self, scope: Construct, settings: Notebook, *, lake: LakePart) -> None:
        super().__init__(scope, "Notebook")
        self._lake = lake
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com"))
        self._allow_reading()
        script = self._build_script(settings)
        lifecycle = sagemaker.CfnNotebookInstanceLifecycleConfig(
            self,
            "Lifecycle",
            on_start=[
                sagemaker.CfnNotebookInstanceLifecycleConfig.NotebookInstanceLifecycleHookProperty(
                    content=Fn.base64(script)
                )
            ],
        )
        metadata = sagemaker.CfnNotebookInstance.InstanceMetadataServiceConfigurationProperty(
            minimum_instance_metadata_service_version="2"
        )
        self.instance = sagemaker.CfnNotebookInstance(
            self,
            "Instance",
            instance_type=settings.instance_type,
            volume_size_in_gb=settings.volume_gb,
            role_arn=self.role.role_arn,
            lifecycle_config_name=lifecycle.attr_notebook_instance_lifecycle_config_name,
            platform_identifier="notebook-al2023-v1",
            root_access="Disabled",
            instance_metadata_service_configuration=metadata,
        )
        self.instance.node.add_dependency(self.role)  # its rights, too: the first start needs them
        for finding, reason in _FINDINGS.items():
            acknowledge(self.instance, finding, reason)
        self._allow_stopping()
        self.publish(NotebookInstance=self.instance.attr_notebook_instance_name)

    def _allow_reading(self) -> None:
        stack, bucket = Stack.of(self), self._lake.bucket
        database = self.stage.database
        catalog = ["catalog", f"database/{database}", f"table/{database}/*"]
        allow(
            self.role,
            ["glue:GetDatabase", "glue:GetTable", "glue:GetTables", "glue:GetPartitions"],
            [stack.format_arn(service="glue", resource=each) for each in catalog],
            "Tables of the stage's own database.",
        )
        allow(self.role, ["s3:GetObject"], [f"{bucket.bucket_arn}/{table_prefix('*')}*"], "Files of tables.")
        allow(self.role, ["s3:ListBucket", "s3:GetBucketLocation"], [bucket.bucket_arn])
        results = f"{bucket.bucket_arn}/{QUERY_RESULTS}/*"
        allow(self.role, ["s3:GetObject", "s3:PutObject"], [results], "Athena writes results as who asks.")
        workgroup = stack.format_arn(service="athena", resource="workgroup", resource_name=self.stage.resource_prefix)
        queries = ("StartQueryExecution", "StopQueryExecution", "GetQueryExecution", "GetQueryResults", "GetWorkGroup")
        allow(self.role, [f"athena:{each}" for each in queries], [workgroup])
        log = stack.format_arn(
            service="logs",
            resource="log-group",
            resource_name="/aws/sagemaker/NotebookInstances:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        written = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        allow(self.role, written, [log], "SageMaker names the streams.")

    def _build_script(self, settings: Notebook) -> str:
        """Return the script of each start: values of the stage, the check for idleness, and what is done with them."""
        notebooks = self._asset("Notebooks", _ROOT / "notebooks")
        code = self._asset("Code", _ROOT / "layers" / "sluice")
        values = {
            "STAGE": self.stage.name,
            "REGION": Stack.of(self).region,
            "NOTEBOOKS": notebooks.s3_object_url,
            "CODE": code.s3_object_url,
            "IDLE_MINUTES": str(settings.idle_minutes),
            "PROGRAMS": _PROGRAMS,
            "LOGS": "/var/log",
        }
        lines = ["#!/bin/bash", *(f"{name}={value}" for name, value in values.items())]
        for program in ("stop_idle.py", "set_up_notebooks.sh"):
            lines += [f"cat > $PROGRAMS/{program} <<'END'", (_HERE / program).read_text(), "END"]
        return "\n".join([*lines, (_HERE / "on_start.sh").read_text()])

    def _asset(self, name: str, folder: Path) -> assets.Asset:
        asset = assets.Asset(self, name, path=str(folder), exclude=["**/__pycache__", "**/.ipynb_checkpoints"])
        allow(self.role, ["s3:GetObject"], [f"{asset.bucket.bucket_arn}/{asset.s3_object_key}"])
        return asset

    def _allow_stopping(self) -> None:
        """Let the instance stop itself, by a policy of its own: it names the instance, which needs the role first."""
        stopping = iam.PolicyStatement(actions=["sagemaker:StopNotebookInstance"], resources=[self.instance.ref])
        iam.Policy(self, "Stopping", roles=[self.role], statements=[stopping])


_FINDINGS = {
    "AwsSolutions-SM1": "A network would ask for an endpoint of each service; what may be read, the role says.",
    "AwsSolutions-SM2": "SageMaker encrypts the volume with a key of its own; the tables stay in the lake.",
    "AwsSolutions-SM3": "Packages come from the internet, by hashes, and there is no network of the stage's.",
}
