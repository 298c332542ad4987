"""The command `sluice history copy-missing`, two buckets, and helpers to fill and read them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from cli.platform.session import Deployment
from cli.vendor_exports import copy_missing
from cli.vendor_exports.copy_missing import copy_missing
from sluice.vendor_exports.delivery.slots import MANIFEST
from tests.vendor_exports.integration.cli.strict_copies import StrictCopies

ROOT = "DEV/IMOSDL/Hourly/"
FOLDER = f"{ROOT}20260131/23/"
NAMES = ("Port_1", "Voyage_1", MANIFEST)
SIGNATURE = "X-Amz-Signature=5ec2e7"
PROOF = [{"key": "guid/Port_1", "size": 2}, {"key": "guid/Voyage_1", "size": 2}]
SIGNED = json.dumps(
    [{**entry, "url": f"https://vendor.example/{entry['key']}?{SIGNATURE}"} for entry in PROOF]
).encode()

app = typer.Typer()
app.command()(copy_missing)


def connected(stage: Deployment, monkeypatch: pytest.MonkeyPatch) -> StrictCopies:
    """The stage's S3, with another bucket beside the lake; the command talks to it."""
    stage.s3.create_bucket(Bucket="the-other")
    stage.__dict__["s3"] = strict = StrictCopies(stage.s3)
    monkeypatch.setattr(copy_missing, "connect", lambda _: stage)
    return strict


def run(*arguments: str, source: str = "s3://the-other") -> Result:
    return CliRunner().invoke(app, ["--source", source, *arguments])


def found(*arguments: str, source: str = "s3://the-other", code: int = 0) -> dict[str, Any]:
    result = run(*arguments, "--json", source=source)
    assert result.exit_code == code, result.output
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def put(
    s3: StrictCopies, *names: str, folder: str = FOLDER, bucket: str = "the-other", body: bytes | None = None
) -> None:
    """Write files, the manifest as older ones are: with addresses."""
    for name in names:
        usual = SIGNED if name == MANIFEST else b"12"
        s3.put_object(Bucket=bucket, Key=folder + name, Body=usual if body is None else body)


def lake(s3: StrictCopies) -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket="the-lake").get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket="the-lake", Key=item["Key"])["Body"].read() for item in listed}


def states(document: dict[str, Any]) -> dict[str, str]:
    return {slot["slot"]: slot["state"] for slot in document["slots"]}
