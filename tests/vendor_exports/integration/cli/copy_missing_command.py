"""Runs `sluice history copy-missing`, and fills and reads its two buckets."""

import json
from typing import Any

from typer.testing import Result

from sluice.vendor_exports.delivery.model import MANIFEST
from tests.support.cli_environment import sluice, sluice_json
from tests.vendor_exports.integration.cli.conditional_s3 import ConditionalS3

ROOT = "DEV/IMOSDL/Hourly/"
FOLDER = f"{ROOT}20260131/23/"
NAMES = ("Port_1", "Voyage_1", MANIFEST)
SIGNATURE = "X-Amz-Signature=5ec2e7"
KEPT = [{"key": "guid/Port_1", "size": 2}, {"key": "guid/Voyage_1", "size": 2}]
SIGNED = json.dumps([{**entry, "url": f"https://vendor.example/{entry['key']}?{SIGNATURE}"} for entry in KEPT]).encode()


def run(*arguments: str, source: str = "s3://the-other", code: int = 0) -> Result:
    return sluice("history", "copy-missing", "--source", source, *arguments, code=code)


def found(*arguments: str, source: str = "s3://the-other", code: int = 0) -> Any:
    return sluice_json("history", "copy-missing", "--source", source, *arguments, code=code)


def put(
    s3: ConditionalS3, *names: str, folder: str = FOLDER, bucket: str = "the-other", body: bytes | None = None
) -> None:
    """Write files, the manifest as older ones are: with addresses."""
    for name in names:
        usual = SIGNED if name == MANIFEST else b"12"
        s3.put_object(Bucket=bucket, Key=folder + name, Body=usual if body is None else body)


def lake(s3: ConditionalS3) -> dict[str, bytes]:
    listed = s3.list_objects_v2(Bucket="the-lake").get("Contents", [])
    return {item["Key"]: s3.get_object(Bucket="the-lake", Key=item["Key"])["Body"].read() for item in listed}


def states(document: dict[str, Any]) -> dict[str, str]:
    return {slot["slot"]: slot["state"] for slot in document["slots"]}
