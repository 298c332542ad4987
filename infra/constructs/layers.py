"""The layers the functions share: our own code, what it always needs, and Arrow for those that write Parquet."""

from __future__ import annotations

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.findings import acknowledge
from infra.layer_builder import NATIVE, SLUICE, LayerBuild
from infra.stage import Stage

_PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}


class Layers(Construct):
    """Layer versions, each an asset whose zip is built when the stack is deployed and never while synthesising."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        """Register the assets; nothing is built yet."""
        super().__init__(scope, construct_id)
        self._python = stage.python_version
        self._platform = NATIVE if stage.local else _PLATFORMS[stage.architecture]
        own = self._build("Sluice", SLUICE)
        runtime = self._build("Runtime", "runtime")
        self.base = [own, runtime]
        self.parquet = [own, runtime, self._build("Arrow", "arrow")]

    def _build(self, construct_id: str, name: str) -> lambda_.LayerVersion:
        build = LayerBuild(name, self._python, self._platform)
        location = Stack.of(self).synthesizer.add_file_asset(
            source_hash=build.fingerprint, executable=build.command, display_name=f"layer {name}"
        )
        assets = s3.Bucket.from_bucket_name(self, f"{construct_id}Assets", location.bucket_name)
        unversioned = "@aws-cdk/aws-lambda:codeFromBucketObjectVersionNotSpecified"
        acknowledge(assets, unversioned, "The key is a fingerprint of all the layer is made of.")
        return lambda_.LayerVersion(
            self,
            construct_id,
            code=lambda_.Code.from_bucket(assets, location.object_key),
            description=f"{name} for Python {self._python} on {self._platform}",
            removal_policy=RemovalPolicy.DESTROY,
        )
