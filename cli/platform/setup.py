"""`sluice setup`: what the owners of existing buckets and keys have to set up before a stage can use them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson
from rich.markup import escape

from cli.platform.console import JsonOption, handled, out, print_result, shell
from cli.platform.session import LOCAL, StageOption, connect
from cli.platform.stages import stage_named
from infra.stage import ProducerBucket, Stage

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Setup:
    """Tells what one owner has to set up for a bucket or key: each step is a sentence, and the document it is about."""

    what: str
    owner: str
    steps: Mapping[str, Document] = field(default_factory=dict)


@handled
def setup(stage: StageOption = LOCAL, as_json: JsonOption = False) -> None:
    """Print what owners of existing buckets and keys have to set up for a stage.

    For each: whose it is, the statements its policies need, and how its
    events reach the stage. Nothing is changed. Do it before the first
    deployment; the roles need not exist.

    Examples:
        sluice setup --stage partner
    """
    settings = stage_named(stage)
    deployment = connect(stage)
    account = settings.account or deployment.sts.get_caller_identity()["Account"]
    region = settings.region or deployment.sts.meta.region_name
    found = list(setups(settings, account, region))
    print_result([asdict(each) for each in found], lambda _: _show(settings, found), as_json=as_json)


def setups(stage: Stage, account: str, region: str) -> Iterator[Setup]:
    """Yield what owners have to set up for a stage in an account and region."""
    kinds = {"source": ["Object Created"], "media": ["Object Created", "Object Deleted"]}
    for name, bucket in (("source", stage.source), ("media", stage.media)):
        if bucket.existing:
            yield _of_bucket(name, bucket, kinds[name], stage, account, region)
        if bucket.kms_key:
            uses = ["kms:Decrypt"]
            yield _of_key(bucket.kms_key, f"the {name} bucket's key", uses, stage, account, region)
    if stage.kms_key:
        uses = ["kms:Decrypt", "kms:GenerateDataKey"]
        yield _of_key(stage.kms_key, "the key of the stage's own buckets", uses, stage, account, region)


def _of_bucket(
    name: str, bucket: ProducerBucket, kinds: Sequence[str], stage: Stage, account: str, region: str
) -> Setup:
    switched_on: Document = {"EventBridgeConfiguration": {}}
    look = shell("aws", "s3api", "get-bucket-notification-configuration", "--bucket", str(bucket.existing))
    steps: dict[str, Document] = {
        "Have the bucket publish its events to EventBridge: add this to its notification configuration, beside what is "
        f"there (`{look}`)": switched_on
    }
    if bucket.owner:
        steps["Add these statements to the bucket's policy"] = {
            "Statement": _bucket_statements(name, bucket, stage, account)
        }
        steps["Forward its events to the stage's account: deploy this template where the bucket is"] = _forwarding(
            bucket, kinds, stage, account, region
        )
    return Setup(f"the {name} bucket, {bucket.existing}", bucket.owner or account, steps)


def _bucket_statements(name: str, bucket: ProducerBucket, stage: Stage, account: str) -> list[Document]:
    whole = f"arn:aws:s3:::{bucket.existing}"
    listing = {
        "Sid": f"SluiceLists-{stage.name}".replace("-", ""),
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": "s3:ListBucket",
        "Resource": whole,
    }
    if name == "media":  # objects are named to those who read the tables, never read
        return [listing]
    reading = {
        **listing,
        "Sid": f"SluiceReads-{stage.name}".replace("-", ""),
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],  # the latter where the bucket is versioned
        "Resource": [f"{whole}/{prefix}*" for prefix in bucket.prefixes or ("",)],
        "Condition": _roles(stage, account),
    }
    return [listing, reading]


def _roles(stage: Stage, account: str) -> Document:
    """Return the condition that a call is made by a role of the stage; such a statement outlives the roles."""
    return {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{account}:role/{stage.stack_name}-*"}}


def _of_key(key: str, what: str, uses: Sequence[str], stage: Stage, account: str, region: str) -> Setup:
    statement = {
        "Sid": f"Sluice-{stage.name}".replace("-", ""),
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
        "Action": list(uses),
        "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
    }
    step = "Add this statement to the key's policy, unless it lets the account's IAM policies decide already"
    return Setup(f"{what}, {key}", key.split(":")[4], {step: {"Statement": [statement]}})


def _forwarding(bucket: ProducerBucket, kinds: Sequence[str], stage: Stage, account: str, region: str) -> Document:
    """Return a CloudFormation template: a rule in the owner's account, and the role that sends its events on."""
    bus = f"arn:aws:events:{region}:{account}:event-bus/default"
    detail: dict[str, Any] = {"bucket": {"name": [bucket.existing]}}
    if bucket.prefixes:
        detail["object"] = {"key": [{"prefix": prefix} for prefix in bucket.prefixes]}
    sending = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}
    assumed = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [assumed]},
        "Policies": [{"PolicyName": "send", "PolicyDocument": {"Version": "2012-10-17", "Statement": [sending]}}],
    }
    rule = {
        "Description": f"Events of {bucket.existing} for Sluice, stage {stage.name}",
        "EventPattern": {"source": ["aws.s3"], "detail-type": list(kinds), "detail": detail},
        "Targets": [{"Id": "sluice", "Arn": bus, "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]}}],
    }
    return {
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": role},
            "Rule": {"Type": "AWS::Events::Rule", "Properties": rule},
        }
    }


def _show(stage: Stage, found: Sequence[Setup]) -> None:
    if not found:
        out.print(f"Nothing: stage {stage.name} uses no bucket and no key that exists already.", highlight=False)
    for each in found:
        out.print(f"\n[bold]{escape(each.what)}[/], in account {each.owner}", highlight=False)
        for number, (step, document) in enumerate(each.steps.items(), start=1):
            out.print(f"\n{number}. {step}:", highlight=False, markup=False)
            out.print(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode(), highlight=False, markup=False)
