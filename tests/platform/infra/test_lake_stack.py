import json
from typing import Any

import pytest

from infra.event_files.settings import EventFiles
from tests.support.synthesis import STACKS, Resource, Synthesis, Template, text

BUCKET, TABLE, SECRET = "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"


def test_the_buckets_of_a_stage(dev: Synthesis, prd: Synthesis) -> None:
    assert _starts(dev.lake, BUCKET) == {"AccessLogs", "Source", "Media", "Lake"}
    assert _starts(prd.lake, BUCKET) == {"AccessLogs", "Lake"}, "the producers' buckets are theirs"


def test_every_bucket_is_private_encrypted_and_the_owners(stage: Synthesis) -> None:
    for bucket in stage.lake.of_type(BUCKET).values():
        properties = bucket["Properties"]
        assert properties["PublicAccessBlockConfiguration"] == dict.fromkeys(
            ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
        )
        (rule,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
        (ownership,) = properties["OwnershipControls"]["Rules"]
        assert ownership["ObjectOwnership"] == "BucketOwnerEnforced"


def test_every_bucket_refuses_plain_http_and_old_tls(stage: Synthesis) -> None:
    for logical_id in stage.lake.of_type(BUCKET):
        denied = [
            statement["Condition"]
            for policy in stage.lake.of_type("AWS::S3::BucketPolicy").values()
            if policy["Properties"]["Bucket"] == {"Ref": logical_id}
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
            and statement["Action"] == "s3:*"
            and statement["Principal"] == {"AWS": "*"}
        ]
        assert {"Bool": {"aws:SecureTransport": "false"}} in denied, logical_id
        assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied, logical_id


def test_accesses_are_logged_of_every_bucket_but_the_log_itself(stage: Synthesis) -> None:
    for logical_id, bucket in stage.lake.of_type(BUCKET).items():
        logging = bucket["Properties"].get("LoggingConfiguration")
        if logical_id.startswith("AccessLogs"):
            assert logging is None
        else:
            assert logging["DestinationBucketName"]["Ref"].startswith("AccessLogs")
            assert logging["LogFilePrefix"].endswith("/")


def test_own_source_and_media_buckets_announce_their_objects(dev: Synthesis) -> None:
    for name in ("Source", "Media"):
        announced = dev.lake.properties(BUCKET, name)["NotificationConfiguration"]
        assert announced == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}
    assert not [kind for kind in _types(dev) if kind.startswith("Custom::S3BucketNotifications")]


def test_what_expires_in_the_lake_and_what_does_not(stage: Synthesis) -> None:
    rules = stage.lake.properties(BUCKET, "Lake")["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    settings = stage.stage
    assert expiring == {
        "data/dirty_json/": settings.settings(EventFiles).dirty_retention_days,
        "data/unrelated_json/": settings.settings(EventFiles).dirty_retention_days,
        "runs/": settings.run_retention_days,
        "data/reports/": settings.run_retention_days,
        "athena/": settings.query_result_retention_days,
    }
    assert [rule["AbortIncompleteMultipartUpload"] for rule in rules if "AbortIncompleteMultipartUpload" in rule]


def test_the_lake_keeps_replaced_objects_where_data_is_kept(dev: Synthesis, prd: Synthesis) -> None:
    assert prd.lake.properties(BUCKET, "Lake")["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = prd.lake.properties(BUCKET, "Lake")["LifecycleConfiguration"]["Rules"]
    assert {"NoncurrentDays": 7} in [rule.get("NoncurrentVersionExpiration") for rule in rules]
    assert "VersioningConfiguration" not in dev.lake.properties(BUCKET, "Source"), "the same put is the same object"


def test_state_belongs_to_the_pipelines(stage: Synthesis) -> None:
    assert {template.stack.rpartition("-")[2]: _starts(template, TABLE) for template in stage.templates} == {
        "Lake": set(),
        "EventFiles": {"Ledger", "MediaIndex"},
        "VendorExports": {"Slots"},
        "Observability": set(),
    }
    for template in stage.templates:
        for table in template.of_type(TABLE).values():
            properties = table["Properties"]
            assert [key["AttributeName"] for key in properties["KeySchema"]] == ["pk", "sk"]
            assert properties["BillingMode"] == "PAY_PER_REQUEST"
            assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
            assert "GlobalSecondaryIndexes" not in properties


@pytest.mark.parametrize("kind", [BUCKET, TABLE, SECRET])
def test_production_data_survives_the_stack(prd: Synthesis, dev: Synthesis, kind: str) -> None:
    assert {resource["DeletionPolicy"] for resource in _all(prd, kind)} == {"Retain"}
    assert {resource["UpdateReplacePolicy"] for resource in _all(prd, kind)} == {"Retain"}
    assert {resource["DeletionPolicy"] for resource in _all(dev, kind)} == {"Delete"}


def test_production_cannot_be_deleted_by_mistake(prd: Synthesis) -> None:
    assert all(table["Properties"]["DeletionProtectionEnabled"] for table in _all(prd, TABLE))
    protected = {part: _artifact(prd, part)["properties"].get("terminationProtection", False) for part in STACKS}
    assert protected == {"Lake": True, "EventFiles": True, "VendorExports": True, "Observability": False}


def test_queries_are_encrypted_bounded_and_nobody_can_say_otherwise(stage: Synthesis) -> None:
    workgroup = stage.lake.properties("AWS::Athena::WorkGroup", "Catalog")
    assert workgroup["Name"] == stage.stage.resource_prefix
    configuration = workgroup["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == stage.stage.query_scan_limit_gib * 1024**3
    result = configuration["ResultConfiguration"]
    assert result["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    assert text(result["OutputLocation"]).startswith("s3://<Lake")
    assert text(result["OutputLocation"]).endswith("/athena/")


def test_outputs_lead_the_command_line_to_everything(stage: Synthesis) -> None:
    assert stage.lake.outputs().keys() == {"SourceBucket", "MediaBucket", "LakeBucket", "Database", "Workgroup"}


def test_the_lake_runs_no_code(prd: Synthesis) -> None:
    assert not _types(prd) & {"Custom::S3AutoDeleteObjects"}
    assert not prd.lake.of_type("AWS::Lambda::Function")
    assert not prd.lake.of_type("AWS::IAM::Role")


def _starts(template: Template, kind: str) -> set[str]:
    return {logical_id[:-8] for logical_id in template.of_type(kind)}


def _all(stage: Synthesis, kind: str) -> list[Resource]:
    return [resource for template in stage.templates for resource in template.of_type(kind).values()]


def _types(stage: Synthesis) -> set[str]:
    return {resource["Type"] for _, resource in stage.resources()}


def _artifact(stage: Synthesis, part: str) -> dict[str, Any]:
    manifest = json.loads((stage.folder / "manifest.json").read_text())
    artifact: dict[str, Any] = manifest["artifacts"][f"{stage.stage.stack_prefix}-{part}"]
    return artifact
