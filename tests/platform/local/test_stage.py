"""A stage that somebody else described: deployed, fed with what was there before, changed, destroyed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.platform.console import CliError
from cli.platform.deploy import deploy_stage
from cli.platform.session import connect
from cli.platform.stages import FILE_VARIABLE
from tests.support.local.deployed_cloud import Cloud, wait_until
from tests.support.sample_events import dump, illustration

EXISTING = """
[theirs]
kind = "local"
keeps_data = true
source = { existing = "their-events", prefixes = ["orders/", "ships/"] }
media = { existing = "their-media" }

[theirs.observability]
emails = ["on-call@example.com"]
"""
OWN = """
[theirs]
kind = "local"
keeps_data = true
max_receives = 7
log_retention_days = 30
source = { prefixes = ["in/"] }

[theirs.event_files]
conversion_schedule = "rate(1 hour)"
validate_files = { memory_mb = 512 }

[theirs.vendor_exports]
schedule = "cron(7 * * * ? *)"
company = "THEIRS"
download_hosts = ["files.example.com"]

[theirs.observability]
alarms = false
"""


@pytest.fixture
def describe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Write the file of stages that the operator owns."""
    file = tmp_path / "stages.toml"
    monkeypatch.setenv(FILE_VARIABLE, str(file))

    def write(stages: str) -> None:
        file.write_text(stages)

    return write


def names_left(cloud: Cloud) -> set[str]:
    """Names of all that the stage has in the cloud, of whatever kind of resource."""
    listings: dict[tuple[str, str], Callable[[Any], list[str]]] = {
        ("s3", "list_buckets"): lambda found: [each["Name"] for each in found["Buckets"]],
        ("dynamodb", "list_tables"): lambda found: found["TableNames"],
        ("sqs", "list_queues"): lambda found: found.get("QueueUrls", []),
        ("lambda", "list_functions"): lambda found: [each["FunctionName"] for each in found["Functions"]],
        ("lambda", "list_layers"): lambda found: [each["LayerName"] for each in found["Layers"]],
        ("logs", "describe_log_groups"): lambda found: [each["logGroupName"] for each in found["logGroups"]],
        ("iam", "list_roles"): lambda found: [each["RoleName"] for each in found["Roles"]],
        ("secretsmanager", "list_secrets"): lambda found: [each["ARN"] for each in found["SecretList"]],
        ("stepfunctions", "list_state_machines"): lambda found: [each["name"] for each in found["stateMachines"]],
        ("events", "list_rules"): lambda found: [each["Name"] for each in found["Rules"]],
        ("scheduler", "list_schedules"): lambda found: [each["Name"] for each in found["Schedules"]],
        ("sns", "list_topics"): lambda found: [each["TopicArn"] for each in found["Topics"]],
        ("glue", "get_databases"): lambda found: [each["Name"] for each in found["DatabaseList"]],
        ("athena", "list_work_groups"): lambda found: [each["Name"] for each in found["WorkGroups"]],
    }
    found = [
        name for (service, call), names in listings.items() for name in names(getattr(cloud.client(service), call)())
    ]
    return {name for name in found if "luice-theirs" in name or "sluice_theirs" in name}


def test_a_described_stage_is_deployed_fed_changed_and_destroyed(
    cloud: Cloud, describe: Callable[[str], None], tmp_path: Path
) -> None:
    s3 = cloud.client("s3")
    for bucket in ("their-events", "their-media"):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
    for number, key in enumerate(("orders/before", "ships/before", "elsewhere/before")):
        s3.put_object(Bucket="their-events", Key=key, Body=dump(illustration(number)))
    describe(EXISTING)

    with pytest.raises(CliError, match="no terminal"):
        deploy_stage("theirs")
    assert not names_left(cloud)
    deploy_stage("theirs", yes=True)
    assert cloud.run("ingest", "--stage", "theirs", "--existing", "", "--dry-run")["taken"] == 2
    assert cloud.run("ingest", "--stage", "theirs", "--existing", "")["taken"] == 2
    wait_until(lambda: cloud.run("ingest", "--stage", "theirs", "--existing", "")["known"] == 2)
    (tmp_path / "new").write_bytes(dump(illustration(7)))
    (uploaded,) = cloud.run("ingest", "--stage", "theirs", tmp_path / "new")["files"]
    assert (uploaded["key"], uploaded["status"]) == ("orders/new", "validated"), "announced, for it is below a prefix"
    assert cloud.run("convert", "--stage", "theirs")["events"] == 3

    describe(OWN)
    deploy_stage("theirs", yes=True)
    connect.cache_clear()  # another process would not know the outputs of before
    (uploaded,) = cloud.run("ingest", "--stage", "theirs", tmp_path / "new")["files"]
    assert (uploaded["key"], uploaded["status"]) == ("in/new", "validated"), "the stage's own bucket tells its queue"
    assert cloud.run("convert", "--stage", "theirs")["events"] == 1

    named = {each["name"] for each in cloud.run("destroy", "--stage", "theirs", "--yes")}
    left = names_left(cloud)
    assert {name for name in left if not any(each in name or name in each for each in named)} == set(), named
    assert {name for name in left if "ledger" in name.lower()}, "what keeps its data is kept"
    assert s3.list_objects_v2(Bucket="their-events")["KeyCount"] == 4, "buckets of others are never touched"
