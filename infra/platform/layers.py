"""Lambda layers: the package sluice, the packages it always needs, and those that some functions need on top."""

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.layers.layer_builder import NATIVE, SLUICE, LayerBuild
from infra.platform.stage_stack import acknowledge
from infra.stage import Stage

_PLATFORMS = {"arm64": "aarch64", "x86_64": "x86_64"}


class Layers(Construct):
    """Layer versions, each an asset whose zip is built when the stack is deployed and never while synthesising."""

    def __init__(self, scope: Construct, construct_id: str, *, stage: Stage) -> None:
        """Begin with none; each is built when it is first asked for."""
        super().__init__(scope, construct_id)
        self._python = stage.python_version
        self._platform = NATIVE if stage.local else _PLATFORMS[stage.architecture]
        self._built: dict[str, lambda_.LayerVersion] = {}

    def including(self, *names: str) -> list[lambda_.LayerVersion]:
        """Return the layers of every function and the named ones on top: folders of `layers/`."""
        return [self._layer(name) for name in (SLUICE, "runtime", *names)]

    def _layer(self, name: str) -> lambda_.LayerVersion:
        if name not in self._built:
            self._built[name] = self._build(name.title(), name)
        return self._built[name]

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
