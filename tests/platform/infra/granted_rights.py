"""What the roles of a template are granted, in words: actions on resources that have names here."""

import re
from typing import Any

from infra.vendor_exports.settings import VendorExports
from tests.support.synthesis import Synthesis, Template, listed, text

FLOWS = {"Test": "DEV/IMOSDL/", "Prod": "IMOSDL/"}

Rights = set[tuple[str, str]]


READ, WRITE, DELETE, LIST = "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"


def to(resource: str, *actions: str) -> Rights:
    """Actions on a resource; those without a service are the ones of a table."""
    return {(action if ":" in action else f"dynamodb:{action}", resource) for action in actions}


def consumes(queue: str) -> Rights:
    """The rights of a function that a queue feeds."""
    actions = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    return to(queue, *(f"sqs:{action}" for action in actions))


def items(table: str, keys: str, *actions: str) -> Rights:
    """Rights to the items of a table that have one of these partition keys."""
    return {right for key in keys.split() for right in to(f"{table} {key}", *actions)}


def catalog(table: str, *actions: str) -> Rights:
    """Rights to a table of the catalog, for which Glue wants to see those to the database and the catalog, too."""
    places = ("catalog", "database/<the stage's>", f"table/<the stage's>/{table.lower()}")
    return {right for place in places for right in to(f"glue {place}", *(f"glue:{action}" for action in actions))}


def commits(table: str) -> Rights:
    """The rights of a function that commits to a table."""
    folder = f"lake/data/clean_parquet/{table}.parquet"
    return (
        catalog(table, "GetDatabase", "GetTable", "UpdateTable")
        | to(f"{folder}/*", READ)
        | to(f"{folder}/metadata/*", WRITE, DELETE)
    )


def publishes(table: str) -> Rights:
    """The rights of a function that writes a table's files, too."""
    return commits(table) | to(f"lake/data/clean_parquet/{table}.parquet/*.parquet", WRITE)


def rights(stage: Synthesis, stack: str, role: str) -> Rights:
    """Every (action, resource) a role is allowed; a Deny or an unknown condition would fail."""
    rights = set()
    for statement in part_of(stage, stack).statements(role):
        assert statement["Effect"] == "Allow"
        assert statement.keys() <= {"Action", "Effect", "Resource", "Condition"}
        what, keys = _conditions(stage, statement.get("Condition", {}))
        rights |= {
            (action + what, _known(stage, role, text(resource)) + key)
            for action in listed(statement["Action"])
            for resource in listed(statement["Resource"])
            for key in keys
        }
    return rights


def _conditions(stage: Synthesis, conditions: dict[str, Any]) -> tuple[str, list[str]]:
    """What conditions leave of an action, and of the items of a table."""
    match conditions:
        case {"Null": {"s3:if-none-match": "false"}} if len(conditions) == 1:
            return " of what is not there", [""]
        case {"Null": {"dynamodb:LeadingKeys": "false"}, "ForAllValues:StringLike": {"dynamodb:LeadingKeys": named}}:
            environment = stage.stage.settings(VendorExports).environment
            return "", [f" {'environment' if key == environment else key}" for key in listed(named)]
    assert not conditions, "this condition is new: say what it leaves"
    return "", [""]


def part_of(stage: Synthesis, stack: str) -> Template:
    template: Template = getattr(stage, stack)
    return template


def _known(stage: Synthesis, role: str, resource: str) -> str:
    """The name of a resource in this file; what is no resource of the stage stays as it is."""
    machine = rf":{stage.stage.resource_prefix}-(\w+)"
    names = {
        rf"<LakeBucket\w{{8}}\.Arn>/{FLOWS[stage.stage.settings(VendorExports).environment]}": "flow/",
        r"<(?:Lake)?Bucket\w{8}\.Arn>": "lake",
        r"<LakeSource\w{8}\.Arn>": "source",
        rf"arn:(?:aws|<AWS::Partition>):s3:::{stage.stage.source.existing}": "source",
        r"<LakeMedia\w{8}\.Arn>": "media",
        rf"arn:(?:aws|<AWS::Partition>):s3:::{stage.stage.media.existing}": "media",
        r"<Ledger\w{8}\.Arn>": "ledger",
        r"<MediaIndex\w{8}\.Arn>": "media index",
        r"<Slots\w{8}\.Arn>": "slots",
        r"<Pulls\w{8}\.Arn>": "pulls",
        r"<Trainings\w{8}\.Arn>": "trainings",
        r"<MartCluster\w*\.ResourceArn>": "mart",
        r"<VendorSecret\w{8}\.Id>$": "the vendor's secret",
        r"<NewFilesQueue\w{8}\.Arn>": "queue of files",
        r"<MediaQueue\w{8}\.Arn>": "queue of media",
        r"<MissedCalls\w{8}\.Arn>": "missed calls",
        rf"<{role.removesuffix('Role')}Log\w{{8}}\.Arn>": "own log",
        r"<RunHistoryEndsQueue\w{8}\.Arn>": "queue of ends",
        r"<NotificationsTopic\w{8}>": "topic",
        r"<EventFilesLedger\w{8}\.Arn>": "ledger",
        r"<SearchClusterCollection\w{8}\.Arn>": "the collection",
        r"<(?:Functions|Digests)(\w+)Function\w{8}\.Arn>": r"\1",
        r"arn:.*:glue:.*:catalog$": "glue catalog",
        rf"arn:.*:glue:.*:database/{stage.stage.database}$": "glue database/<the stage's>",
        rf"arn:.*:glue:.*:table/{stage.stage.database}/": "glue table/<the stage's>/",
        rf"arn:.*:states:.*:stateMachine{machine}$": r"machine \1",
        rf"arn:.*:states:.*:execution{machine}:\*$": r"executions of \1",
        rf"arn:.*:states:.*:execution{machine}/(\w+):\*$": r"children \2 of \1",
        rf"arn:.*:states:.*:mapRun{machine}/(\w+):\*$": r"map runs \2 of \1",
    }
    for pattern, name in names.items():
        if found := re.match(pattern, resource):
            return found.expand(name) + resource[found.end() :]
    return resource
