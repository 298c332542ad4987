"""A cloud that takes CloudFormation templates: the second emulator, or the one that stages run in."""

import io
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import boto3
import httpx
from botocore.exceptions import ClientError

from tests.referees.second_cloud.engine import server
from tests.referees.second_cloud.stack import Json, as_text
from tests.support.local.deployed_cloud import free_port

_TEMPLATES = "templates"
_STARTS = 120  # seconds, on a busy machine


@dataclass(frozen=True, slots=True)
class StackCloud:
    """An emulator that runs; functions deployed by `deploy` do nothing."""

    endpoint: str
    region: str
    key_id: str = "testing"
    secret: str = "testing"

    @property
    def environment(self) -> dict[str, str]:
        """Variables that lead AWS clients here."""
        access = {"AWS_ACCESS_KEY_ID": self.key_id, "AWS_SECRET_ACCESS_KEY": self.secret}
        place = {"AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region, "AWS_ENDPOINT_URL": self.endpoint}
        return {**access, **place, "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "localhost,127.0.0.1"}

    def client(self, service: str) -> Any:
        access = {"aws_access_key_id": self.key_id, "aws_secret_access_key": self.secret}
        return boto3.client(service, endpoint_url=self.endpoint, region_name=self.region, **access)  # type: ignore[call-overload]

    def deploy(self, stack: str, template: Json, *, update: bool = False) -> str:
        """Create or update a stack without the CDK; return its status."""
        self._prepare(template)
        cloudformation = self.client("cloudformation")
        url = f"{self.endpoint}/{_TEMPLATES}/{stack}.json"
        self.client("s3").put_object(Bucket=_TEMPLATES, Key=f"{stack}.json", Body=as_text(template).encode())
        change = cloudformation.update_stack if update else cloudformation.create_stack
        change(StackName=stack, TemplateURL=url, Capabilities=["CAPABILITY_NAMED_IAM"])
        while (status := self.status(stack)).endswith("IN_PROGRESS"):
            time.sleep(0.2)
        return status

    def status(self, stack: str) -> str:
        try:
            return str(self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        except ClientError:
            return "gone"

    def _prepare(self, template: Json) -> None:
        """Have what the bootstrap makes, and code for every function and layer."""
        account = self.client("sts").get_caller_identity()["Account"]
        self.client("ssm").put_parameter(
            Name="/cdk-bootstrap/hnb659fds/version", Type="String", Value="30", Overwrite=True
        )
        packed = io.BytesIO()
        with ZipFile(packed, "w") as archive:
            archive.writestr("handler.py", "def handler(*_): ...")
        s3, assets = self.client("s3"), f"cdk-hnb659fds-assets-{account}-{self.region}"
        place = {} if self.region == "us-east-1" else {"LocationConstraint": self.region}
        for bucket in {_TEMPLATES, assets} - {each["Name"] for each in s3.list_buckets()["Buckets"]}:
            s3.create_bucket(Bucket=bucket, **({"CreateBucketConfiguration": place} if place else {}))
        for each in template["Resources"].values():
            code = each.get("Properties", {}).get("Code") or each.get("Properties", {}).get("Content") or {}
            if isinstance(code, dict) and "S3Key" in code:
                s3.put_object(Bucket=assets, Key=code["S3Key"], Body=packed.getvalue())

    def forget(self) -> None:
        """Have nothing again, as at the beginning; moto only."""
        httpx.post(f"{self.endpoint}/moto-api/reset", trust_env=False, timeout=60).raise_for_status()


@contextmanager
def moto(folder: Path, account: str, region: str) -> Iterator[StackCloud]:
    """Run moto's server; it has ended afterwards."""
    port = free_port()
    command: list[str | Path] = [server(), "-H", "127.0.0.1", "-p", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with (folder / "moto.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment | {"MOTO_ACCOUNT_ID": account})
    try:
        cloud = StackCloud(f"http://localhost:{port}", region)
        end = time.monotonic() + _STARTS
        while not _answers(cloud):
            assert process.poll() is None, (folder / "moto.log").read_text()[-3000:]
            assert time.monotonic() < end, "moto does not answer"
            time.sleep(0.2)
        yield cloud
    finally:
        process.terminate()
        process.wait(30)


def _answers(cloud: StackCloud) -> bool:
    try:
        return httpx.get(f"{cloud.endpoint}/moto-api/data.json", trust_env=False).is_success
    except httpx.HTTPError:
        return False


def read_template(folder: Path) -> Json:
    """Return the template of an assembly."""
    (file,) = folder.glob("*.template.json")
    return dict(json.loads(file.read_text()))
