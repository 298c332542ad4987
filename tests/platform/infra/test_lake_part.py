import json

import pytest

from infra.api_pull.settings import ApiPull
from infra.event_files.settings import EventFiles
from tests.support.synthesis import Resource, Synthesis, Template, text

BUCKET, TABLE, SECRET = "AWS::S3::Bucket", "AWS::DynamoDB::Table", "AWS::SecretsManager::Secret"
LOG = "AWS::Logs::LogGroup"
ICEBERG_TABLE = "Custom::IcebergTable"


def test_the_buckets_of_a_stage(dev: Synthesis, prd: Synthesis) -> None:
    assert _starts(dev.lake, BUCKET) == {"AccessLogs", "Source", "Media", "Bucket"}
    assert _starts(prd.lake, BUCKET) == {"AccessLogs", "Bucket"}, "the producers' buckets are theirs"


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


def test_what_expires_in_the_lake_and_what_does_not(stage: Synthesis) -> None:
    rules = stage.lake.properties(BUCKET, "Bucket")["LifecycleConfiguration"]["Rules"]
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}
    settings = stage.stage
    assert expiring == {
        "data/dirty_json/": settings.settings(EventFiles).dirty_retention_days,
        "data/unrelated_json/": settings.settings(EventFiles).dirty_retention_days,
        "raw/": settings.settings(ApiPull).raw_retention_days,
        "data/dirty_rows/": settings.settings(ApiPull).dirty_retention_days,
        "runs/": settings.run_retention_days,
        "data/reports/": settings.run_retention_days,
        "athena/": settings.query_result_retention_days,
    }
    (logs,) = [
        rule
        for rule in stage.lake.properties(BUCKET, "AccessLogs")["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    ]
    assert (logs["Prefix"], logs["ExpirationInDays"]) == ("", settings.access_log_retention_days)


def test_uploads_that_nobody_completes_go_from_every_bucket(stage: Synthesis) -> None:
    for bucket in stage.lake.of_type(BUCKET).values():
        rules = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        aborted = [each["AbortIncompleteMultipartUpload"] for each in rules if "AbortIncompleteMultipartUpload" in each]
        assert aborted == [{"DaysAfterInitiation": stage.stage.abandoned_upload_days}]


def test_the_lake_keeps_replaced_objects_where_data_is_kept(dev: Synthesis, prd: Synthesis) -> None:
    assert prd.lake.properties(BUCKET, "Bucket")["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = prd.lake.properties(BUCKET, "Bucket")["LifecycleConfiguration"]["Rules"]
    assert {"NoncurrentDays": 7} in [rule.get("NoncurrentVersionExpiration") for rule in rules]
    assert "VersioningConfiguration" not in dev.lake.properties(BUCKET, "Source"), "the same put is the same object"


def test_state_belongs_to_the_pipelines(stage: Synthesis) -> None:
    assert {part: _starts(template, TABLE) for part, template in stage.by_part.items()} == {
        "Lake": set(),
        "EventFiles": {"Ledger", "MediaIndex"},
        "VendorExports": {"Slots"},
        "Tables": set(),
        "ApiPull": {"Pulls"},
        "Recommender": {"Trainings"},
        "Observability": set(),
    }
    for table in stage.template.of_type(TABLE).values():
        properties = table["Properties"]
        assert [key["AttributeName"] for key in properties["KeySchema"]] == ["pk", "sk"]
        assert properties["BillingMode"] == "PAY_PER_REQUEST"
        assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True
        assert "GlobalSecondaryIndexes" not in properties


@pytest.mark.parametrize("kind", [BUCKET, TABLE, SECRET, LOG])
def test_production_data_survives_the_stack_once_that_was_made_whole(prd: Synthesis, dev: Synthesis, kind: str) -> None:
    assert {resource["DeletionPolicy"] for resource in _all(prd, kind)} == {"RetainExceptOnCreate"}
    assert {resource["UpdateReplacePolicy"] for resource in _all(prd, kind)} == {"Retain"}
    assert {resource["DeletionPolicy"] for resource in _all(dev, kind)} == {"Delete"}


def test_nothing_keeps_a_first_deployment_that_failed_from_being_taken_back(prd: Synthesis) -> None:
    """`sluice deploy` protects the stack when it is whole."""
    assert {each["DeletionPolicy"] for _, each in prd.resources() if "DeletionPolicy" in each} <= {
        "RetainExceptOnCreate",
        "Delete",
    }
    assert not [table for table in _all(prd, TABLE) if table["Properties"].get("DeletionProtectionEnabled")]
    manifest = json.loads((prd.folder / "manifest.json").read_text())
    assert manifest["artifacts"][prd.stage.stack_name]["properties"]["terminationProtection"] is False


def test_what_outlives_its_stack_has_no_name_that_would_block_the_next(prd: Synthesis) -> None:
    kept = [each for _, each in prd.resources() if each.get("DeletionPolicy") == "RetainExceptOnCreate"]
    assert {each["Type"] for each in kept} == {BUCKET, TABLE, SECRET, LOG, ICEBERG_TABLE, "AWS::DSQL::Cluster"}
    named = {"BucketName", "TableName", "Name", "LogGroupName"}
    # A table of the catalog that is there already is taken on.
    assert {each["Type"] for each in kept if each["Properties"].keys() & named} == {ICEBERG_TABLE}
    workgroup = prd.lake.properties("AWS::Athena::WorkGroup", "Catalog")
    assert workgroup["RecursiveDeleteOption"] is True, "one that ran a query could not be deleted, and has a name"


def test_queries_are_encrypted_bounded_and_nobody_can_say_otherwise(stage: Synthesis) -> None:
    workgroup = stage.lake.properties("AWS::Athena::WorkGroup", "Catalog")
    assert workgroup["Name"] == stage.stage.resource_prefix
    configuration = workgroup["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] == stage.stage.query_scan_limit_gib * 1024**3
    result = configuration["ResultConfiguration"]
    assert result["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    assert text(result["OutputLocation"]).startswith("s3://<Bucket")
    assert text(result["OutputLocation"]).endswith("/athena/")


def test_outputs_lead_the_command_line_to_everything(stage: Synthesis) -> None:
    buckets = {f"{which}{what}" for which in ("Source", "Media") for what in ("Bucket", "Owner", "Prefixes")}
    assert stage.lake.outputs().keys() >= {*buckets, "LakeBucket", "Database", "Workgroup"}


def test_the_lake_runs_no_code_but_that_of_its_tables(prd: Synthesis) -> None:
    assert not _types(prd) & {"Custom::S3AutoDeleteObjects"}
    assert [each[:-8] for each in prd.lake.of_type("AWS::Lambda::Function")] == ["CatalogPrepareTablesFunction"]
    assert len(prd.lake.of_type("AWS::IAM::Role")) == 1


def _starts(template: Template, kind: str) -> set[str]:
    return {logical_id[:-8] for logical_id in template.of_type(kind)}


def _all(stage: Synthesis, kind: str) -> list[Resource]:
    """Return the resources of a type; log groups of machines, which have names, go with their stack."""
    found = stage.template.of_type(kind).values()
    return [each for each in found if "LogGroupName" not in each["Properties"]]


def _types(stage: Synthesis) -> set[str]:
    return {resource["Type"] for _, resource in stage.resources()}
