"""Buckets that exist already, of other accounts, encrypted with keys of their own, of which only prefixes are taken."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.platform.setup import Setup, setups
from infra.stage import ProducerBucket
from tests.support.stages import stage_named
from tests.support.synthesis import Synthesis, listed, synthesise, text

STAGE = stage_named("partner")
OWN_KEY, THEIR_KEY, OWNER = STAGE.kms_key, STAGE.source.kms_key, STAGE.source.owner


@pytest.fixture
def partner(synthesis_of: Callable[[str], Synthesis]) -> Synthesis:
    return synthesis_of("partner")


def allowed(synthesis: Synthesis, role: str) -> set[tuple[str, str]]:
    """Return what a role may do on which ARN."""
    return {
        (action, text(resource))
        for statement in synthesis.template.statements(role)
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


@pytest.mark.parametrize(("rule", "prefixes"), [("NewFiles", ["orders/", "ships/"]), ("Media", ["pictures/"])])
def test_only_events_of_the_owner_below_the_prefixes_are_taken(
    partner: Synthesis, rule: str, prefixes: list[str]
) -> None:
    pattern = partner.event_files.properties("AWS::Events::Rule", f"{rule}Rule")["EventPattern"]
    assert pattern["account"] == [OWNER]
    assert pattern["detail"]["object"]["key"] == [{"prefix": prefix} for prefix in prefixes]


def test_the_owner_and_nobody_else_may_send_events_to_the_bus(partner: Synthesis) -> None:
    (policy,) = partner.template.of_type("AWS::Events::EventBusPolicy").values()
    statement = policy["Properties"]["Statement"]
    assert statement["Action"] == "events:PutEvents"
    assert text(statement["Principal"]["AWS"]) == f"arn:aws:iam::{OWNER}:root"
    assert text(statement["Resource"]).endswith(":event-bus/default")


def test_only_what_is_taken_may_be_read_and_by_its_key(partner: Synthesis) -> None:
    role = "EventFilesFunctionsValidateFilesRole"
    rights = allowed(partner, role)
    read = {resource for action, resource in rights if action == "s3:GetObject"}
    assert read == {f"arn:aws:s3:::partner-events/{prefix}*" for prefix in ("orders/", "ships/")}
    assert {resource for action, resource in rights if action == "s3:GetObjectVersion"} == read, "it may be versioned"
    assert ("kms:Decrypt", THEIR_KEY) in rights
    assert ("kms:GenerateDataKey", THEIR_KEY) not in rights
    variables = partner.function("validate_files")["Environment"]["Variables"]
    assert variables["SOURCE_OWNER"] == OWNER, "every read expects the bucket to be its owner's"


def test_who_uses_objects_of_the_stage_may_use_its_key_and_nobody_else(partner: Synthesis) -> None:
    readers = {"s3:GetObject", "s3:PutObject"}
    roles = partner.template.of_type("AWS::IAM::Role")
    using = 0
    for role in roles:
        rights = allowed(partner, role)
        uses = {action for action, resource in rights if resource == OWN_KEY}
        writes = any(action == "s3:PutObject" for action, _ in rights)
        reads = any(action in readers for action, _ in rights)
        former = {action for action, resource in rights if resource in STAGE.former_kms_keys}
        assert former == uses & {"kms:Decrypt"}, role
        assert uses == ({"kms:Decrypt", "kms:GenerateDataKey"} if writes else {"kms:Decrypt"} if reads else set()), role
        using += bool(uses)
    assert using > 10


def test_keys_are_used_for_objects_of_s3_and_nothing_else(partner: Synthesis) -> None:
    uses = [
        (statement["Resource"], statement.get("Condition"))
        for policy in partner.template.of_type("AWS::IAM::Policy").values()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if any(action.startswith("kms:") for action in listed(statement["Action"]))
    ]
    assert {key for keys, _ in uses for key in listed(keys)} == {THEIR_KEY, OWN_KEY, *STAGE.former_kms_keys}
    for keys, condition in uses:
        (region,) = {key.split(":")[3] for key in listed(keys)}
        assert condition == {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}}


def test_the_stages_own_objects_are_encrypted_with_its_key(partner: Synthesis) -> None:
    for logical_id, bucket in partner.template.of_type("AWS::S3::Bucket").items():
        (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        encryption = rule["ServerSideEncryptionByDefault"]
        if "AccessLogs" in logical_id:  # S3 delivers logs to no bucket with a customer-managed key
            assert encryption == {"SSEAlgorithm": "AES256"}
        else:
            assert encryption == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": OWN_KEY}
            assert rule["BucketKeyEnabled"] is True
    workgroup = partner.lake.properties("AWS::Athena::WorkGroup", "Catalog")["WorkGroupConfiguration"]
    encryption = workgroup["ResultConfiguration"]["EncryptionConfiguration"]
    assert encryption == {"EncryptionOption": "SSE_KMS", "KmsKey": OWN_KEY}


def test_a_bucket_of_the_stages_own_tells_of_what_is_below_the_prefixes(tmp_path: Path) -> None:
    own = replace(stage_named("dev"), source=ProducerBucket(prefixes=("a/", "day=1+2/(b)")))
    source = synthesise(own, tmp_path).lake.properties("AWS::S3::Bucket", "Source")
    told = source["NotificationConfiguration"]["QueueConfigurations"]
    below = [each["Filter"]["S3Key"]["Rules"] for each in told]
    assert below == [[{"Name": "prefix", "Value": prefix}] for prefix in ("a/", "day%3D1%2B2/(b)")]


def step(setup: Setup, words: str) -> Any:
    (found,) = [document for step, document in setup.steps.items() if words in step]
    return json.loads(json.dumps(found))


def test_what_owners_set_up_is_what_the_stage_needs(partner: Synthesis) -> None:
    assert STAGE.account
    assert STAGE.region
    source, source_key, media, own_key = setups(STAGE, STAGE.account, STAGE.region)
    assert [each.owner for each in (source, source_key, media, own_key)] == [OWNER, OWNER, OWNER, STAGE.account]
    forwarding = step(source, "Forward")["Resources"]
    rule = partner.event_files.properties("AWS::Events::Rule", "NewFilesRule")["EventPattern"]
    del rule["account"]
    assert forwarding["Rule"]["Properties"]["EventPattern"] == rule, "what is sent on is what is taken"
    statements = step(source, "bucket's policy")["Statement"]
    (reading,) = [each for each in statements if "s3:GetObject" in each["Action"]]
    rights = allowed(partner, "EventFilesFunctionsValidateFilesRole")
    read = {resource for action, resource in rights if action == "s3:GetObject"}
    assert set(reading["Resource"]) == read
    (pattern,) = reading["Condition"]["ArnLike"].values()
    assert pattern == f"arn:aws:iam::{STAGE.account}:role/Sluice-partner-*"
    assert step(media, "EventBridge") == {"EventBridgeConfiguration": {}}
    assert [each["Action"] for each in step(media, "bucket's policy")["Statement"]] == ["s3:ListBucket"]
    assert step(source_key, "key's policy")["Statement"][0]["Action"] == ["kms:Decrypt"]
    assert step(own_key, "key's policy")["Statement"][0]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
